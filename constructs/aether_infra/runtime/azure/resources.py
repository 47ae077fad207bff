"""Calls of Azure Resource Manager that the manager makes, and no others. They block, and speak JSON."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from azure.core import MatchConditions
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import VirtualMachine
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.models import NetworkInterface

from aether_infra.runtime.azure.errors import translate
from aether_infra.runtime.azure.place import Place
from aether_infra.runtime.azure.session import options
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.machines import is_node_of
from aether_infra.runtime.retry import Patience

Json = Mapping[str, Any]
T = TypeVar("T")
EXISTS: Final = "PreconditionFailed"
"""What a creation meets that finds the name taken."""


class Resources:
    """One resource group, seen by one cluster."""

    def __init__(self, place: Place, cluster: str, patience: Patience) -> None:
        """Connect nothing yet.

        Args:
            place: where machines are made.
            cluster: the cluster's name.
            patience: how long an answer may take.
        """
        given = options(patience)
        self._place = place
        self._cluster = cluster
        self._group = place.resource_group
        self._compute = ComputeManagementClient(subscription_id=place.subscription_id, **given)
        self._network = NetworkManagementClient(subscription_id=place.subscription_id, **given)
        self._credential = given["credential"]

    def close(self) -> None:
        """Give back connections."""
        self._compute.close()
        self._network.close()
        self._credential.close()

    def machines(self) -> list[Json]:
        """Every machine of the cluster that runs a node, all pages."""
        return [
            each
            for each in map(_plain, self._compute.virtual_machines.list(self._group))
            if self.is_ours(each)
        ]

    def machine(self, name: str) -> Json | None:
        """The machine of that name, whosever it is, with what is told of its state; None for none."""
        return _found(
            lambda: _plain(self._compute.virtual_machines.get(self._group, name, expand="instanceView"))
        )

    def is_ours(self, machine: Json) -> bool:
        """Whether it runs a node of this cluster."""
        return is_node_of(self._cluster, tags_of(machine))

    def create(self, name: str, body: Json) -> None:
        """Ask for a machine, unless the name is taken."""
        self._compute.virtual_machines.begin_create_or_update(
            self._group,
            name,
            VirtualMachine(dict(body)),
            etag="*",
            match_condition=MatchConditions.IfMissing,
            polling=False,
        )

    def delete(self, name: str) -> None:
        """Ask for a machine's end, with its interface and its disk; one that is gone is left at that."""
        _found(lambda: self._compute.virtual_machines.begin_delete(self._group, name, polling=False))

    def interfaces(self) -> dict[str, Json]:
        """Every interface of the resource group by its id in lower case, all pages."""
        return {
            str(each["id"]).lower(): each
            for each in map(_plain, self._network.network_interfaces.list(self._group))
        }

    def interface(self, machine: Json) -> Json | None:
        """A machine's interface; None where it is gone."""
        name = interface_id(machine).rpartition("/")[2]
        return (
            _found(lambda: _plain(self._network.network_interfaces.get(self._group, name))) if name else None
        )

    def write_interface(self, interface: Json) -> None:
        """Ask for a change of an interface."""
        self._network.network_interfaces.begin_create_or_update(
            self._group,
            str(interface["name"]),
            NetworkInterface(dict(interface)),
            polling=False,
        )

    def is_target(self, interface: Json) -> bool:
        """Whether an interface is in the load balancer's backend pool."""
        wanted = self._place.backend_pool_id.lower()
        return any(
            str(pool.get("id")).lower() == wanted
            for address in (interface.get("properties") or {}).get("ipConfigurations") or ()
            for pool in (address.get("properties") or {}).get("loadBalancerBackendAddressPools") or ()
        )

    def as_target(self, interface: Json, *, member: bool, tags: Mapping[str, str]) -> Json:
        """An interface in the backend pool, or out of it, with these tags."""
        changed: dict[str, Any] = copy.deepcopy(dict(interface))
        changed["tags"] = dict(tags)
        wanted = self._place.backend_pool_id
        properties = changed["properties"]["ipConfigurations"][0]["properties"]
        pools = properties.get("loadBalancerBackendAddressPools") or ()
        others = [pool for pool in pools if str(pool.get("id")).lower() != wanted.lower()]
        properties["loadBalancerBackendAddressPools"] = [*others, *([{"id": wanted}] if member else [])]
        return changed


def tags_of(machine: Json) -> dict[str, str]:
    """A machine's tags."""
    return {str(key): str(value) for key, value in (machine.get("tags") or {}).items()}


def interface_id(machine: Json) -> str:
    """Id of a machine's interface; empty while it has none."""
    network = (machine.get("properties") or {}).get("networkProfile") or {}
    return next((str(each["id"]) for each in network.get("networkInterfaces") or () if each.get("id")), "")


def _plain(model: Any) -> dict[str, Any]:
    """A model as the JSON that it came from."""
    return dict(model.as_dict())


def _found(call: Callable[[], T]) -> T | None:
    """What a call gives; None where Azure says that there is no such thing."""
    try:
        return call()
    except Exception as error:
        if isinstance(translate(error, ""), NotFound):
            return None
        raise
