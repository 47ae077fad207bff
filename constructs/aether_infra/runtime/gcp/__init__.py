"""Elastic nodes as Compute Engine instances of Layer 1's template, through Google's own libraries."""
