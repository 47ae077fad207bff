"""The runtime manager on Amazon Web Services, over boto3.

ec2            elastic nodes as instances of the launch template
ecs            elastic nodes as the desired count of an ECS service (Fargate)
load_balancer  target groups
dns            Route 53
place          what they take from the settings, checked
session        clients: endpoints and credentials from where the SDK itself looks for them
errors         AWS's codes, each with the error that it becomes
"""
