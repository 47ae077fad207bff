"""What was intended, written down before it is tried, and everything that a restart must not forget.

`store` is the database, `schema` its tables; `operations` (and its `rows`), `lease`, `roster` and `records` each know
some of them; `journal` puts them together.
"""
