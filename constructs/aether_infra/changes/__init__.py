"""What a change of configuration does to the infrastructure: pure functions over Terraform JSON documents."""
