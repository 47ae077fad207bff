CLI=aws
LEFT="volumes"

look_up() {
    cluster=$(output cluster_name "$CLUSTER")
    region=$(output region "$REGION")
}

left_over() { # load balancers are Terraform's own; the driver of EBS puts the name of a claim on what it makes
    names=$(aws ec2 describe-volumes --region "$region" --query 'Volumes[].VolumeId' --output text \
        --filters "Name=tag:aether-cluster,Values=$cluster" "Name=tag-key,Values=CSIVolumeName") || return 1
    each volume "$names"
}
