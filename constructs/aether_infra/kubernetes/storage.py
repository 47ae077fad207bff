"""The storage class of the core nodes' data."""

from __future__ import annotations

from attrs import frozen
from cdktf_cdktf_provider_kubernetes.storage_class_v1 import StorageClassV1, StorageClassV1Metadata
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.kubernetes.cloud import Storage
from aether_infra.kubernetes.labels import standard_labels


@frozen(kw_only=True)
class DataClassProps:
    """Props of `DataClass`."""

    cluster: str
    """Cluster's name."""
    namespace: str
    """The nodes' namespace, part of the name: a storage class is the whole cluster's."""
    storage: Storage
    """Driver and parameters."""
    protect: bool = True
    """Whether a disk outlives its claim; default on."""


class DataClass(Construct):
    """A class of disks that are made where the pod is, can grow, and outlive their claim under protection.

    Attributes:
        storage_class: the storage class.
    """

    def __init__(self, scope: Construct, id_: str, props: DataClassProps) -> None:
        super().__init__(scope, id_)
        self.storage_class = StorageClassV1(
            self,
            "Resource",
            metadata=StorageClassV1Metadata(
                name=physical_name(props.namespace, props.cluster, "data"),
                labels=standard_labels(props.cluster),
            ),
            storage_provisioner=props.storage.provisioner,
            parameters=dict(sorted(props.storage.parameters.items())),
            reclaim_policy="Retain" if props.protect else "Delete",
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
        )
        self.name = self.storage_class.metadata.name
