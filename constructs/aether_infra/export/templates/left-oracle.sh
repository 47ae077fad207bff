CLI=oci
LEFT="load balancers and volumes"

look_up() {
    cluster=$(output cluster_name "$CLUSTER")
    region=$(output region "$REGION")
    compartment=$(runtime compartment_id)
    [ -n "$compartment" ] ||
        fail "the output \`runtime\` does not say the compartment; look yourself, and add --no-wait"
}

strings() { # the texts of a JSON list, which the command line prints one a line
    printf '%s\n' "$1" | sed -n 's/^[[:blank:]]*"\(.*\)",\{0,1\}$/\1/p'
}

left_over() {
    ours="\"freeform-tags\".\"aether-cluster\"=='$cluster'"
    names=$(oci lb load-balancer list --region "$region" --compartment-id "$compartment" --all \
        --query "data[?$ours && \"lifecycle-state\"!='DELETED'].id") || return 1
    each "load balancer" "$(strings "$names")"
    names=$(oci bv volume list --region "$region" --compartment-id "$compartment" --all \
        --query "data[?$ours && \"lifecycle-state\"!='TERMINATED'].id") || return 1
    each volume "$(strings "$names")"
}
