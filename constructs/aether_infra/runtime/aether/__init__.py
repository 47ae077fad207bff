"""Aether's management API, as its nodes really answer it.

`client` asks, `shapes` reads the answers of older and newer nodes, `errors` says what can go wrong.
"""
