"""What runs on a droplet beside its node; shipped as it is, so it imports nothing of this package."""
