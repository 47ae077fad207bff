"""Layer 2: changes a running cluster through the clouds' own SDKs: nodes, load balancer targets, DNS.

    model       the values: NodeSpec, NodeInstance, Target, DnsRecord
    errors      one tree of errors, each with what to do next
    manager     CloudManager, the protocol that every cloud implements
    settings    what Layer 1's output `runtime` says, checked
    registry    which manager a cluster needs, imported on use
    retry       waiting between tries: full jitter, bounded, Retry-After
    clock       evenly running time to wait by, the calendar to write down
    journal     what was intended, written before it is tried, and what must not be forgotten
    operations  what can be asked for, and what becomes of it; refusals: why it is not done
    engine      operations as state machines: carried out step by step, taken up again after a crash
    quorum      may a core node go?
    aether      Aether's management API
    look        the cloud and Aether, asked once for all; observer puts it together, observation is what comes of it
    policy      how many nodes, and which go: pure functions over observations
    controller  looks, decides, has it carried out; collector: machines that nobody knows; repairs: traffic for all
    leader      who leads, where several replicas share a journal
    service     all of it in one process
    simulator   plays a load against the policy
    fake        a cloud and an Aether cluster in memory

Imports nothing of cdktf, and an SDK only when its manager is made.
"""
