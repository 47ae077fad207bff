"""Which steps each kind of operation has: the whole engine as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aether_infra.runtime.engine import creation, removal, service
from aether_infra.runtime.engine.steps import Procedure
from aether_infra.runtime.operations import OperationKind

PROCEDURES: Final[Mapping[OperationKind, Procedure]] = {
    OperationKind.CREATE: Procedure(steps=creation.STEPS, group="creations"),
    OperationKind.REMOVE: Procedure(steps=removal.STEPS, group="removals"),
    OperationKind.REMOVE_CORE: Procedure(steps=removal.CORE_STEPS, group="others"),
    OperationKind.DRAIN: Procedure(steps=service.DRAIN_STEPS, group="removals"),
    OperationKind.ACTIVATE: Procedure(steps=service.ACTIVATE_STEPS, group="others"),
    OperationKind.REGISTER: Procedure(steps=service.REGISTER_STEPS, group="others"),
    OperationKind.DEREGISTER: Procedure(steps=service.DEREGISTER_STEPS, group="others"),
    OperationKind.DNS: Procedure(steps=service.DNS_STEPS, group="others"),
    OperationKind.COLLECT: Procedure(steps=service.COLLECT_STEPS, group="removals"),
}
"""By kind."""
