"""Droplets behind DigitalOcean's load balancers, through pydo."""
