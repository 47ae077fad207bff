"""Who may call the nodes: each other on the cluster's ports, users on the application's, operators on management's."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf_cdktf_provider_kubernetes import network_policy_v1 as policy
from constructs import Construct

from aether_infra.core.node import NodePorts
from aether_infra.kubernetes.labels import node_selector, standard_labels

NETWORK_POLICY = "aether-nodes"
"""Name of the policy."""
CLIENT = {"aether-management-client": "true"}
"""Label of pods in the same namespace that may use the management port, such as the runtime manager's."""


@frozen(kw_only=True)
class NodePolicyProps:
    """Props of `NodePolicy`."""

    cluster: str
    """Cluster's name."""
    namespace: str
    """Namespace, as a token that waits for it."""
    ports: NodePorts
    """Ports of a node."""
    application_sources: Sequence[str] = ("0.0.0.0/0",)
    """IPv4 networks that may call the application."""
    management_sources: Sequence[str] = ()
    """IPv4 networks that may call the management port; pods with the label `CLIENT` always may."""


class NodePolicy(Construct):
    """The network policy: what it does not let in stays out. Answers, and what nodes call, are not its business.

    Attributes:
        policy: the network policy.
    """

    def __init__(self, scope: Construct, id_: str, props: NodePolicyProps) -> None:
        super().__init__(scope, id_)
        ports = props.ports
        nodes = [_pods(node_selector(props.cluster))]
        rules = [
            _rule(nodes, [(ports.cluster, "TCP"), (ports.cluster, "UDP"), (ports.swim, "UDP")]),
            _rule(
                [_pods(CLIENT), *nodes, *map(_network, props.management_sources)], [(ports.management, "TCP")]
            ),
        ]
        if ports.application is not None:
            inside = policy.NetworkPolicyV1SpecIngressFrom(
                namespace_selector=policy.NetworkPolicyV1SpecIngressFromNamespaceSelector(
                    match_labels={"kubernetes.io/metadata.name": props.namespace}
                )
            )
            callers = [inside, *map(_network, props.application_sources)]
            rules.append(_rule(callers, [(ports.application, "TCP")]))
        self.policy = policy.NetworkPolicyV1(
            self,
            "Resource",
            metadata=policy.NetworkPolicyV1Metadata(
                name=NETWORK_POLICY, namespace=props.namespace, labels=standard_labels(props.cluster)
            ),
            spec=policy.NetworkPolicyV1Spec(
                policy_types=["Ingress"],
                pod_selector=policy.NetworkPolicyV1SpecPodSelector(match_labels=node_selector(props.cluster)),
                ingress=rules,
            ),
        )


def _pods(labels: dict[str, str]) -> policy.NetworkPolicyV1SpecIngressFrom:
    return policy.NetworkPolicyV1SpecIngressFrom(
        pod_selector=policy.NetworkPolicyV1SpecIngressFromPodSelector(match_labels=labels)
    )


def _network(cidr: str) -> policy.NetworkPolicyV1SpecIngressFrom:
    return policy.NetworkPolicyV1SpecIngressFrom(
        ip_block=policy.NetworkPolicyV1SpecIngressFromIpBlock(cidr=cidr)
    )


def _rule(
    sources: Sequence[policy.NetworkPolicyV1SpecIngressFrom], ports: Sequence[tuple[int, str]]
) -> policy.NetworkPolicyV1SpecIngress:
    return policy.NetworkPolicyV1SpecIngress(
        from_=list(sources),
        ports=[
            policy.NetworkPolicyV1SpecIngressPorts(port=str(port), protocol=protocol)
            for port, protocol in ports
        ],
    )
