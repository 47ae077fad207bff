"""Pure rules of a cluster: names, tags, addresses, quorum and node settings. No cloud, no cdktf."""
