"""Services: one inside of the cluster, and one a port for traffic from outside."""

from __future__ import annotations

from attrs import field, frozen
from cdktf_cdktf_provider_kubernetes.service_v1 import (
    ServiceV1,
    ServiceV1Metadata,
    ServiceV1Spec,
    ServiceV1SpecPort,
    ServiceV1Timeouts,
)
from constructs import Construct

from aether_infra.core.kubernetes import SERVICE, SERVING_LABEL
from aether_infra.core.node import NodePorts
from aether_infra.kubernetes.cloud import Exposure
from aether_infra.kubernetes.labels import node_selector, standard_labels

HTTP = 80
"""Port that users call, where no certificate is at hand."""


@frozen(kw_only=True)
class ServicesProps:
    """Props of `Services`."""

    cluster: str
    """Cluster's name."""
    namespace: str
    """Namespace, as a token that waits for it."""
    ports: NodePorts
    """Ports of a node."""
    application: Exposure = field(factory=Exposure)
    """How users reach the application."""
    management: Exposure | None = None
    """How operators reach the management port; default: only from inside of the cluster."""
    managed: bool = False
    """Whether the runtime manager takes nodes in and out of traffic, by `SERVING_LABEL`."""


class Services(Construct):
    """The service `aether`, and what is open to the outside.

    Attributes:
        inside: application and management port for other pods, ready nodes only.
        application: the application for users; None where it is not published, or comes through `inside` by an Ingress.
        management: the management port for operators; None unless asked for.
    """

    def __init__(self, scope: Construct, id_: str, props: ServicesProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        published = props.ports.application
        ports = [
            ServiceV1SpecPort(
                name="management", port=props.ports.management, target_port="management", protocol="TCP"
            )
        ]
        if published is not None:
            ports.insert(
                0,
                ServiceV1SpecPort(
                    name="application", port=published, target_port="application", protocol="TCP"
                ),
            )
        ingress = props.application.type == "ClusterIP"
        self.inside = ServiceV1(
            self,
            "Resource",
            metadata=self._metadata(SERVICE, props.application if ingress else Exposure()),
            spec=ServiceV1Spec(type="ClusterIP", selector=self._serving(), port=ports),
        )
        self.application: ServiceV1 | None = None
        if published is not None and not ingress:
            self.application = self._open("application", HTTP, props.application)
        self.management: ServiceV1 | None = None
        if props.management is not None:
            self.management = self._open("management", props.ports.management, props.management)

    def _metadata(self, name: str, exposure: Exposure) -> ServiceV1Metadata:
        return ServiceV1Metadata(
            name=name,
            namespace=self._props.namespace,
            labels=standard_labels(self._props.cluster),
            annotations=dict(sorted(exposure.annotations.items())) or None,
        )

    def _serving(self) -> dict[str, str]:
        """What finds the nodes that get users' traffic."""
        taken_in = {SERVING_LABEL: "true"} if self._props.managed else {}
        return node_selector(self._props.cluster) | taken_in

    def _open(self, concern: str, port: int, exposure: Exposure) -> ServiceV1:
        """A service for traffic from outside, which goes only to machines with a ready node and keeps its sender."""
        balanced = exposure.type == "LoadBalancer"
        return ServiceV1(
            self,
            concern,
            metadata=self._metadata(f"{SERVICE}-{concern}", exposure),
            spec=ServiceV1Spec(
                type=exposure.type,
                external_traffic_policy=None if exposure.type == "ClusterIP" else "Local",
                load_balancer_ip=exposure.load_balancer_ip,
                load_balancer_class=exposure.load_balancer_class,
                load_balancer_source_ranges=list(exposure.source_ranges) or None if balanced else None,
                selector=self._serving() if concern == "application" else node_selector(self._props.cluster),
                port=[
                    ServiceV1SpecPort(
                        name=concern,
                        port=exposure.port or port,
                        target_port=concern,
                        protocol="TCP",
                        node_port=exposure.node_port,
                    )
                ],
            ),
            wait_for_load_balancer=balanced,
            timeouts=ServiceV1Timeouts(create="20m") if balanced else None,
        )
