"""Who may reach the application: a Cloud Armor policy of address ranges."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_google.compute_security_policy import (
    ComputeSecurityPolicy,
    ComputeSecurityPolicyRule,
    ComputeSecurityPolicyRuleMatch,
    ComputeSecurityPolicyRuleMatchConfig,
)
from constructs import Construct

from aether_infra.core.names import physical_name

RANGES_PER_RULE = 10
"""Most address ranges of a rule. Source: https://cloud.google.com/armor/quotas (as of 2026-11)."""
FIRST_PRIORITY = 1000
LAST_PRIORITY = 2_147_483_647
"""Priority of the rule for everyone else, which every policy has."""


@frozen(kw_only=True)
class AllowListProps:
    """Props of `AllowList`."""

    name: str
    """Cluster's name, head of the policy's name."""
    project: str
    """The project's id."""
    allowed_cidrs: Sequence[str]
    """IPv4 networks that may come in; everybody else gets a 403."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the service."""


class AllowList(Construct):
    """A Cloud Armor policy that lets some networks in and nobody else.

    Source: https://cloud.google.com/armor/docs/security-policy-overview (as of 2026-11).

    Attributes:
        policy: the policy.
    """

    def __init__(self, scope: Construct, id_: str, props: AllowListProps) -> None:
        super().__init__(scope, id_)
        cidrs = list(props.allowed_cidrs)
        groups = [cidrs[start : start + RANGES_PER_RULE] for start in range(0, len(cidrs), RANGES_PER_RULE)]
        allowed = [
            _rule("allow", FIRST_PRIORITY + place, group, "Allowed networks")
            for place, group in enumerate(groups)
        ]
        self.policy = ComputeSecurityPolicy(
            self,
            "Resource",
            project=props.project,
            name=physical_name(props.name, "allowed"),
            description=f"Who may reach the application of Aether cluster {props.name}",
            type="CLOUD_ARMOR",
            # when it goes, the load balancer must have let go of it before
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            depends_on=list(props.depends_on),
            rule=[*allowed, _rule("deny(403)", LAST_PRIORITY, ["*"], "Everybody else")],
        )


def _rule(action: str, priority: int, cidrs: Sequence[str], description: str) -> ComputeSecurityPolicyRule:
    return ComputeSecurityPolicyRule(
        action=action,
        priority=priority,
        description=description,
        match=ComputeSecurityPolicyRuleMatch(
            versioned_expr="SRC_IPS_V1",
            config=ComputeSecurityPolicyRuleMatchConfig(src_ip_ranges=list(cidrs)),
        ),
    )
