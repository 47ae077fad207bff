"""Layer 2: changes a running cluster through the clouds' own SDKs: nodes, load balancer targets, DNS.

    model       the values: NodeSpec, NodeInstance, Target, DnsRecord
    errors      one tree of errors, each with what to do next
    manager     CloudManager, the protocol that every cloud implements
    settings    what Layer 1's output `runtime` says, checked
    registry    which manager a cluster needs, imported on use
    retry       waiting between tries: full jitter, bounded, Retry-After
    fake        a cloud in memory
    journal     what was intended, written before it is tried
    engine      operations: carried out step by step, taken up again after a crash
    aether      Aether's management API
    policy      how many nodes: pure functions over observations
    controller  observes, decides, reconciles
    simulator   plays a load against a policy

Imports nothing of cdktf, and an SDK only when its manager is made.
"""
