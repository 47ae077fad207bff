"""Carries operations out, step by step, and takes them up again after a crash.

An operation is a state machine as data: `procedures` says which steps each kind has, `steps` what a step is; what they
do is in `creation`, `removal` and `service`. `worker` walks one operation through its steps, `engine` takes requests
and runs the workers, `admission` says which requests are taken.
"""
