CLI=doctl
LEFT="load balancers and volumes"

look_up() {
    cluster=$(runtime cluster_id)
    [ -n "$cluster" ] || fail "the output \`runtime\` does not say the cluster's id; look yourself, and add --no-wait"
}

left_over() { # those that the cluster made; Terraform's own are not among them
    names=$(doctl kubernetes cluster list-associated-resources "$cluster" --no-header --format LoadBalancers) ||
        return 1
    each "load balancer" "$(printf '%s' "$names" | tr -s '[:space:],[]' ' ')"
    names=$(doctl kubernetes cluster list-associated-resources "$cluster" --no-header --format Volumes) || return 1
    each volume "$(printf '%s' "$names" | tr -s '[:space:],[]' ' ')"
}
