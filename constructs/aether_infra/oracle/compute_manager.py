"""From the configuration to the runtime manager on an instance of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aether_infra.catalog import oracle as catalog
from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.cdk.text import literal, local_json
from aether_infra.core import manager
from aether_infra.core.names import physical_name
from aether_infra.oracle import compute_vm
from aether_infra.oracle.bindings.identity_dynamic_group import IdentityDynamicGroup
from aether_infra.oracle.machine import in_ocir, machine_node, user_data
from aether_infra.oracle.manager import Manager, ManagerProps, right_statements
from aether_infra.oracle.network import ExistingNetwork
from aether_infra.oracle.rights import pull_statement, secret_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aether_infra.oracle.stack import OracleStack

SMALL = {False: "VM.Standard.E5.Flex", True: "VM.Standard.A1.Flex"}
"""Flexible shapes without and with Arm processors. Source:
https://docs.oracle.com/en-us/iaas/Content/Compute/References/computeshapes.htm (as of 2026-11)."""


def declare(stack: OracleStack, runtime: Mapping[str, Any]) -> Manager:
    """Declare the manager and its rights, below a stack.

    Args:
        stack: the stack.
        runtime: what it is told of the cluster.
    """
    oracle, own, network = stack.oracle, stack.config.cloud.manager, stack.network.outputs
    shape = own.machine_type or SMALL[catalog.arm64(oracle.shape)]
    made = Manager(
        stack,
        "manager",
        ManagerProps(
            name=stack.name,
            compartment_id=oracle.compartment_id,
            availability_domain=stack.availability_domains[0],
            vcn_id=network.vcn_id,
            vcn_cidr=network.vcn_cidr,
            subnet_id=network.node_subnet_id,
            private_ip=stack.network.node_address(compute_vm.MANAGER_ADDRESS),
            node_group_id=stack.security.outputs.node_group_id,
            management_port=stack.ports.management,
            services_cidr=stack.security.services,
            internet=oracle.nat != "none",
            port=own.port,
            allowed_cidrs=own.allowed_cidrs,
            shape=shape,
            image_id=oracle.image_id or compute_vm.machine_image(stack, "manager-image", shape),
            user_data=_user_data(stack, runtime),
            ssh_public_key=literal(oracle.ssh_public_key) if oracle.ssh_public_key else None,
            on_volume=own.on_volume,
            kms_key_id=oracle.kms_key_id,
            protect=stack.config.cloud.protect,
            ready=[stack.pull_right, *stack.security.rules],
            tags=stack.tags,
        ),
    )
    _rights(stack, made)
    return made


def _rights(stack: OracleStack, made: Manager) -> None:
    """What this one instance may do, and no other of its compartment."""
    oracle, own = stack.oracle, stack.config.cloud.manager
    group = IdentityDynamicGroup(
        stack,
        "manager-group",
        compartment_id=oracle.tenancy_id,
        name=physical_name(stack.name, manager.NAME, oracle.region, limit=100),
        description=f"Runtime manager of Aether cluster {stack.name}",
        matching_rule=f"ALL {{instance.id = '{made.instance.id}'}}",
        provider=stack.home,
        freeform_tags=dict(stack.tags),
    )
    principal = f"dynamic-group id {group.id}"
    existing = isinstance(stack.network, ExistingNetwork)
    statements = right_statements(
        principal,
        RIGHTS["oracle", "vm"],
        compartment_id=oracle.compartment_id,
        network_compartment_id=stack.network.outputs.compartment_id if existing else None,
        dns_zone_id=stack.dns["zone_id"],
        kms_key_id=oracle.kms_key_id,
    )
    statements += secret_statements(principal, sorted(set(own.secrets().values())))
    repository = catalog.ocir_repository(own.image or "")
    if repository is not None:
        statements.append(pull_statement(principal, oracle.tenancy_id, repository))
    stack.policy("manager-rights", manager.NAME, statements)


def _user_data(stack: OracleStack, runtime: Mapping[str, Any]) -> str:
    own = stack.config.cloud.manager
    environment = manager.environment(port=own.port, collect=own.collect, on_volume=own.on_volume)
    node = machine_node(
        image=own.image or "",
        # whoever asks is the instance
        environment=environment | {"OCI_CLI_AUTH": "instance_principal"},
        ports=manager.machine_ports(own.port),
        health=manager.machine_health(),
        stop_timeout_seconds=manager.STOP_SECONDS,
        secrets=own.secrets(),
        own_registry=in_ocir(own.image or ""),
        data_volume=own.on_volume,
    )
    return user_data(manager.machine(node, local_json(stack, "manager-runtime", dict(runtime), base64=True)))
