"""What runs on an EC2 instance; shipped as it is, so it imports nothing of this package."""
