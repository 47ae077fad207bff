"""The elastic nodes of a Kubernetes workload, on any cloud: replicas of one Deployment."""
