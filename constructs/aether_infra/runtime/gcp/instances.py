"""Calls of Compute Engine that the manager makes, and no others. They block."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from google.cloud import compute_v1 as compute

from aether_infra.core.tags import CLUSTER
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.gcp.errors import MEMBER_ALREADY, NO_MEMBER, translate
from aether_infra.runtime.gcp.place import Place
from aether_infra.runtime.gcp.session import COMPUTE_ADDRESS, access
from aether_infra.runtime.machines import is_node_of

NAMESPACE: Final = uuid.UUID("6f1c2f2e-3a8f-4f55-9d0f-2b8f8b2d7c11")
"""Of request ids: each is made of what is asked, so that the same request twice is one."""


class Compute:
    """One project's Compute Engine, seen by one cluster."""

    def __init__(self, place: Place, cluster: str, answer_seconds: float) -> None:
        """Connect nothing yet.

        Args:
            place: where instances are made.
            cluster: the cluster's name.
            answer_seconds: until a call has failed.

        Raises:
            Denied: there are no credentials.
        """
        credentials, options = access(COMPUTE_ADDRESS)
        given: dict[str, Any] = {"credentials": credentials, "client_options": options, "transport": "rest"}
        self._place = place
        self._cluster = cluster
        # the library's own retries would go on for ten minutes
        self._how: dict[str, Any] = {"retry": None, "timeout": answer_seconds}
        self._instances = compute.InstancesClient(**given)
        self._operations = compute.ZoneOperationsClient(**given)
        self._groups = compute.InstanceGroupsClient(**given)
        self._services = compute.BackendServicesClient(**given)
        self._regional = compute.RegionBackendServicesClient(**given)

    def close(self) -> None:
        """Give back connections."""
        for each in (self._instances, self._operations, self._groups, self._services, self._regional):
            each.transport.close()  # type: ignore[no-untyped-call]

    def every(self, conditions: str = "") -> list[compute.Instance]:
        """Every instance of the cluster that runs a node, all zones and pages.

        Args:
            conditions: a further filter.
        """
        wanted = f'labels.{CLUSTER}="{self._cluster}"' + (f" AND {conditions}" if conditions else "")
        return [each for each in self._all(wanted) if self.is_ours(each)]

    def find(self, name: str) -> compute.Instance | None:
        """The instance of that name, whosever it is; None for none. One of ours wins over another's in another zone."""
        found = self._all(f'name="{name}"')
        return next((each for each in found if self.is_ours(each)), found[0] if found else None)

    def _all(self, conditions: str) -> list[compute.Instance]:
        request = compute.AggregatedListInstancesRequest(project=self._place.project, filter=conditions)
        pages = self._instances.aggregated_list(request, **self._how)
        return [instance for _, scoped in pages for instance in scoped.instances]

    def is_ours(self, instance: compute.Instance) -> bool:
        """Whether it runs a node of this cluster."""
        return is_node_of(self._cluster, instance.labels)

    def insert(self, name: str, zone: str, resource: compute.Instance) -> compute.Operation:
        """Ask for an instance of the template."""
        return self._instances.insert_unary(
            compute.InsertInstanceRequest(
                project=self._place.project,
                zone=zone,
                instance_resource=resource,
                source_instance_template=self._place.instance_template,
                request_id=_request_id("insert", zone, name),
            ),
            **self._how,
        )

    def get(self, name: str, zone: str) -> compute.Instance | None:
        """An instance by zone and name; None for none."""
        try:
            return self._instances.get(project=self._place.project, zone=zone, instance=name, **self._how)
        except Exception as error:
            if isinstance(translate(error, ""), NotFound):
                return None
            raise

    def delete(self, instance: compute.Instance) -> None:
        """Ask for an instance's end; one that is gone is left at that."""
        try:
            self._instances.delete_unary(
                compute.DeleteInstanceRequest(
                    project=self._place.project,
                    zone=zone_of(instance),
                    instance=instance.name,
                    request_id=_request_id("delete", zone_of(instance), str(instance.id)),
                ),
                **self._how,
            )
        except Exception as error:
            if not isinstance(translate(error, ""), NotFound):
                raise

    def operation(self, operation: compute.Operation, zone: str) -> compute.Operation:
        """How an operation is by now."""
        return self._operations.get(
            project=self._place.project, zone=zone, operation=operation.name, **self._how
        )

    def label(self, instance: compute.Instance, labels: Mapping[str, str]) -> None:
        """Set all labels of an instance, unless somebody else has changed them since it was read."""
        self._instances.set_labels_unary(
            project=self._place.project,
            zone=zone_of(instance),
            instance=instance.name,
            instances_set_labels_request_resource=compute.InstancesSetLabelsRequest(
                labels=dict(labels), label_fingerprint=instance.label_fingerprint
            ),
            **self._how,
        )

    def members(self, zone: str) -> set[str]:
        """Names of the instances in a zone's group."""
        pages = self._groups.list_instances(
            project=self._place.project,
            zone=zone,
            instance_group=self._place.instance_groups[zone],
            instance_groups_list_instances_request_resource=compute.InstanceGroupsListInstancesRequest(),
            **self._how,
        )
        return {last(each.instance) for each in pages}

    def join(self, instance: compute.Instance) -> None:
        """Put an instance into its zone's group; one that is in it is left at that."""
        zone = zone_of(instance)
        if instance.name in self.members(zone):
            return
        try:
            self._groups.add_instances_unary(
                project=self._place.project,
                zone=zone,
                instance_group=self._place.instance_groups[zone],
                instance_groups_add_instances_request_resource=compute.InstanceGroupsAddInstancesRequest(
                    instances=[compute.InstanceReference(instance=instance.self_link)]
                ),
                **self._how,
            )
        except Exception as error:
            if _code(error) != MEMBER_ALREADY:
                raise

    def leave(self, instance: compute.Instance) -> None:
        """Take an instance from its zone's group; one that is not in it is left at that."""
        zone = zone_of(instance)
        if instance.name not in self.members(zone):
            return
        try:
            self._groups.remove_instances_unary(
                project=self._place.project,
                zone=zone,
                instance_group=self._place.instance_groups[zone],
                instance_groups_remove_instances_request_resource=compute.InstanceGroupsRemoveInstancesRequest(
                    instances=[compute.InstanceReference(instance=instance.self_link)]
                ),
                **self._how,
            )
        except Exception as error:
            if _code(error) != NO_MEMBER:
                raise

    def health(self) -> list[dict[str, str]]:
        """What each backend service says: name of the instance = HEALTHY, UNHEALTHY and so on."""
        return [
            self._health(self._services, {"project": self._place.project}, name)
            if concern == "application"
            else self._health(
                self._regional, {"project": self._place.project, "region": self._place.region}, name
            )
            for concern, name in sorted(self._place.backend_services.items())
        ]

    def _health(self, client: Any, place: Mapping[str, str], name: str) -> dict[str, str]:
        service = client.get(**place, backend_service=name, **self._how)
        found: dict[str, str] = {}
        for backend in service.backends:
            answer = client.get_health(
                **place,
                backend_service=name,
                resource_group_reference_resource=compute.ResourceGroupReference(group=backend.group),
                **self._how,
            )
            found |= {last(each.instance): str(each.health_state) for each in answer.health_status}
        return found


def zone_of(instance: compute.Instance) -> str:
    """Name of an instance's zone."""
    return last(instance.zone)


def last(url: str) -> str:
    """The name at the end of a resource's URL."""
    return url.rpartition("/")[2]


def _code(error: Exception) -> str:
    ours = translate(error, "")
    return ours.code if ours else ""


def _request_id(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))
