"""What a machine has of what Aether Infra needs, and how to mend what is missing.

Checks are functions of a `Machine`, which holds all that they look at; none of them prints, and none repeats a
credential: they tell names of variables and files, versions, hosts and exit codes.
"""
