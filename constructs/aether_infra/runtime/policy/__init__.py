"""How many nodes there shall be, and which go: pure functions over observations.

model      Policy (the settings), Memory (what it knows of before), Decision
load       load → number of elastic nodes
leaving    which nodes go, and why
decide     all of it together
"""
