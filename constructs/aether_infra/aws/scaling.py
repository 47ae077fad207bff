"""When elastic nodes come and go, on any kind of compute."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Scaling:
    """Target tracking of the cluster's CPU.

    Source: https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
    (as of 2026-11).
    """

    cpu_target_percent: int = 60
    """Average CPU of the whole cluster to keep to, 10-90."""
    scale_out_cooldown_seconds: int = 60
    """Pause after adding nodes: a JVM needs it to take load. On EC2 the warm-up time stands for it."""
    scale_in_cooldown_seconds: int = 300
    """Pause after removing a node. On EC2 the policy's own caution stands for it."""
