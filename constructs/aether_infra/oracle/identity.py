"""Who may do what: policies, and the dynamic group of the machines. All of it lives in the home region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import TerraformProvider
from constructs import Construct

from aether_infra.oracle.bindings.data_oci_identity_regions import (
    DataOciIdentityRegions,
    DataOciIdentityRegionsFilter,
)
from aether_infra.oracle.bindings.data_oci_identity_tenancy import DataOciIdentityTenancy
from aether_infra.oracle.bindings.identity_dynamic_group import IdentityDynamicGroup
from aether_infra.oracle.bindings.identity_policy import IdentityPolicy


class HomeRegion(Construct):
    """The tenancy's home region, looked up.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        tenancy_id: the tenancy.

    Attributes:
        name: the region's name.
    """

    def __init__(self, scope: Construct, id_: str, *, tenancy_id: str) -> None:
        super().__init__(scope, id_)
        key = DataOciIdentityTenancy(self, "Resource", tenancy_id=tenancy_id).home_region_key
        regions = DataOciIdentityRegions(
            self, "regions", filter=[DataOciIdentityRegionsFilter(name="key", values=[key])]
        )
        self.name: str = regions.regions.get(0).name


@frozen(kw_only=True)
class MachineGroupProps:
    """Props of `MachineGroup`."""

    name: str
    """Name of the group, unique in the tenancy."""
    tenancy_id: str
    """The tenancy, where dynamic groups live."""
    compartment_id: str
    """Compartment of the machines: all of its instances are in the group, since a rule can tell instances of one
    compartment apart by defined tags alone. Give the cluster a compartment of its own."""
    provider: TerraformProvider | None = None
    """Provider of the home region; default: the stack's."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the group."""


class MachineGroup(Construct):
    """The machines as a principal.

    Source: https://docs.oracle.com/en-us/iaas/Content/Identity/dynamicgroups/Writing_Matching_Rules_to_Define_Dynamic_Groups.htm
    (as of 2026-11).

    Attributes:
        group: the dynamic group.
        principal: how a policy names it.
    """

    def __init__(self, scope: Construct, id_: str, props: MachineGroupProps) -> None:
        super().__init__(scope, id_)
        self.group = IdentityDynamicGroup(
            self,
            "Resource",
            compartment_id=props.tenancy_id,
            name=props.name,
            description="Machines of Aether clusters in one compartment",
            matching_rule=f"ALL {{instance.compartment.id = '{props.compartment_id}'}}",
            provider=props.provider,
            freeform_tags=dict(props.tags),
        )
        self.principal = f"dynamic-group id {self.group.id}"


@frozen(kw_only=True)
class PolicyProps:
    """Props of `Policy`."""

    name: str
    """Name of the policy, unique in its compartment."""
    compartment_id: str
    """Where it is attached: it can speak of this compartment and those below."""
    statements: Sequence[str]
    """What it allows."""
    purpose: str
    """Its description."""
    provider: TerraformProvider | None = None
    """Provider of the home region; default: the stack's."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the policy."""


class Policy(Construct):
    """A policy.

    Source: https://docs.oracle.com/en-us/iaas/Content/Identity/policysyntax/policy-syntax.htm (as of 2026-11).

    Attributes:
        policy: the policy.
    """

    def __init__(self, scope: Construct, id_: str, props: PolicyProps) -> None:
        super().__init__(scope, id_)
        self.policy = IdentityPolicy(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            name=props.name,
            description=props.purpose,
            statements=list(props.statements),
            provider=props.provider,
            freeform_tags=dict(props.tags),
        )
