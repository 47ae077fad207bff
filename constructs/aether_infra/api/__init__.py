"""The HTTP API of Layer 2: `/api/cloud/*`, health, metrics, and a dashboard.

options    where it listens, with whose keys: read and checked
auth       keys and roles
limits     how often somebody may call
problems   errors as RFC 9457 problem documents
schema     what goes over the wire
app        the application
routes     one handler a verb
events     server-sent events
metrics    Prometheus
"""
