"""How many nodes there shall be, and which go: pure functions over observations.

`model` has the settings, what is remembered and what is decided; `load` makes a number of nodes from a load; `leaving`
chooses which nodes go; `decide` puts it together.
"""
