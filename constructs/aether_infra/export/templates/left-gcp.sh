CLI=gcloud
LEFT="load balancers, endpoint groups and disks"

look_up() {
    cluster=$(output cluster_name "$CLUSTER")
    network=$(output network_id "")
    network=${network##*/}
    project=$(runtime project)
    [ -n "$project" ] || fail "the output \`runtime\` does not say the project; look yourself, and add --no-wait"
}

left_over() { # an address stays; a load balancer that still has it is GKE's
    names=$(gcloud compute addresses list --project="$project" --format='value(name)' \
        --filter="labels.aether-cluster=$cluster AND users~forwardingRules") || return 1
    each "load balancer of address" "$names"
    names=$(gcloud compute network-endpoint-groups list --project="$project" --format='value(name)' \
        --filter="name~^k8s1-.*-$NAMESPACE- AND network~/$network\$") || return 1
    each "endpoint group" "$names"
    names=$(gcloud compute disks list --project="$project" --format='value(name)' \
        --filter="labels.aether-cluster=$cluster AND name~^pvc-") || return 1
    each disk "$names"
}
