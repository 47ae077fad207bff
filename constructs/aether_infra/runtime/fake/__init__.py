"""A cloud and an Aether cluster in memory: for tests, for demonstrations, for trying a policy.

Both are deterministic, take their time from a clock that is given, and do wrong what they are told to.
"""
