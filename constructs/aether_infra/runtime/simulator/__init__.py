"""Plays a load against a policy: the same pure functions as in earnest, over a cluster that is only reckoned.

`trace` is the load, `setup` what is assumed, `cluster` the nodes, `latency` the queue before them, `simulate` the loop
over time; `figures` sums up, `chart` draws, `output` writes.
"""
