"""Calls of Oracle's Compute service that the manager makes, and no others. They block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import oci

from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.machines import is_node_of
from aether_infra.runtime.oracle.errors import translate
from aether_infra.runtime.oracle.place import Place

PAGE: Final = 1000
"""Items that are listed at a time."""
GONE: Final = "TERMINATED"
"""State of an instance that has ended; it stays in lists for an hour or so."""


class Instances:
    """One compartment's instances, seen by one cluster."""

    def __init__(self, place: Place, cluster: str, given: Mapping[str, Any]) -> None:
        """Connect nothing yet.

        Args:
            place: where instances are made.
            cluster: the cluster's name.
            given: arguments of the clients.
        """
        self._place = place
        self._cluster = cluster
        self._compute = oci.core.ComputeClient(**given)
        self._management = oci.core.ComputeManagementClient(**given)
        self._network = oci.core.VirtualNetworkClient(**given)
        self._addresses: dict[str, str] = {}

    def is_ours(self, instance: Any) -> bool:
        """Whether it runs a node of this cluster."""
        return is_node_of(self._cluster, instance.freeform_tags or {})

    def every(self) -> list[Any]:
        """Every instance of the cluster that runs a node, all pages, also those that have just ended."""
        found = pages(
            lambda page: self._compute.list_instances(self._place.compartment_id, limit=PAGE, **page)
        )
        return [each for each in found if self.is_ours(each)]

    def find(self, identity: str) -> Any | None:
        """An instance, whosever it is: by id or, as a new one may not be found by it yet, in the list."""
        try:
            return self._compute.get_instance(identity).data
        except oci.exceptions.ServiceError as error:
            if not isinstance(translate(error, ""), NotFound):
                raise
        return next((each for each in self.every() if each.id == identity), None)

    def launch(self, details: Any, token: str) -> Any:
        """Ask for an instance of the configuration; the same token gives the same one for a day."""
        answer = self._management.launch_instance_configuration(
            self._place.instance_configuration_id,
            oci.core.models.ComputeInstanceDetails(launch_details=details),
            opc_retry_token=token,
        )
        return answer.data

    def terminate(self, identity: str) -> None:
        """Ask for an instance's end, with its boot volume; one that is gone is left at that."""
        try:
            self._compute.terminate_instance(identity, preserve_boot_volume=False)
        except oci.exceptions.ServiceError as error:
            if not isinstance(translate(error, ""), NotFound):
                raise

    def tag(self, instance: Any, tags: Mapping[str, str]) -> None:
        """Set all free-form tags of an instance."""
        details = oci.core.models.UpdateInstanceDetails(freeform_tags=dict(tags))
        self._compute.update_instance(instance.id, details)

    def addresses(self, wanted: set[str]) -> Mapping[str, str]:
        """Private addresses of instances; each is asked for once, as it never changes.

        Args:
            wanted: their ids.
        """
        missing = wanted - self._addresses.keys()
        if missing:
            one = {"instance_id": next(iter(missing))} if len(missing) == 1 else {}
            attachments = pages(
                lambda page: self._compute.list_vnic_attachments(
                    self._place.compartment_id, limit=PAGE, **one, **page
                )
            )
            for each in attachments:
                if each.instance_id in missing and each.lifecycle_state == "ATTACHED" and each.vnic_id:
                    vnic = self._network.get_vnic(each.vnic_id).data
                    if vnic.is_primary is not False:
                        self._addresses[each.instance_id] = str(vnic.private_ip)
        return {each: self._addresses[each] for each in wanted if each in self._addresses}


def pages(call: Callable[[dict[str, Any]], Any]) -> list[Any]:
    """The items of all pages.

    Args:
        call: gets one page; takes the argument that names it.
    """
    found: list[Any] = []
    page: dict[str, Any] = {}
    while True:
        answer = call(page)
        found += answer.data
        following = answer.headers.get("opc-next-page")
        if not following:
            return found
        page = {"page": following}
