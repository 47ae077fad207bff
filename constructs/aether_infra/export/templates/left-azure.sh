CLI=az
LEFT="load balancers and disks"

look_up() {
    subscription=$(runtime subscription_id)
    group=$(runtime resource_group)
    machines=$(runtime node_resource_group)
    if [ -z "$subscription" ] || [ -z "$group" ] || [ -z "$machines" ]; then
        fail "the output \`runtime\` does not say the resource groups; look yourself, and add --no-wait"
    fi
}

left_over() { # an address stays; disks lie in the group of the machines, and would go with it
    names=$(az network public-ip list --subscription "$subscription" --resource-group "$group" --output tsv \
        --query "[?ipConfiguration!=null && contains(ipConfiguration.id, '/loadBalancers/')].name") || return 1
    each "load balancer of address" "$names"
    names=$(az disk list --subscription "$subscription" --resource-group "$machines" --output tsv \
        --query "[?starts_with(name, 'pvc-')].name") || return 1
    each disk "$names"
}
