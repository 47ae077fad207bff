"""Elastic nodes as Oracle Cloud instances of Layer 1's instance configuration, through Oracle's own library."""
