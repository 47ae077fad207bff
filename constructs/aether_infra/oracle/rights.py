"""Statements of policies: the words in which rights are given."""

from __future__ import annotations

from collections.abc import Sequence


def place(compartment_id: str) -> str:
    """A compartment as a policy's statement names it; the root compartment is the tenancy."""
    return "tenancy" if compartment_id.startswith("ocid1.tenancy.") else f"compartment id {compartment_id}"


def pull_statement(principal: str, compartment_id: str, repository: str) -> str:
    """The right to pull from one repository and no other.

    Args:
        principal: who, such as `MachineGroup.principal`.
        compartment_id: compartment of the repository.
        repository: its name.
    """
    return (
        f"Allow {principal} to read repos in {place(compartment_id)} where target.repo.name = '{repository}'"
    )


def secret_statements(principal: str, secret_ids: Sequence[str], conditions: Sequence[str] = ()) -> list[str]:
    """The right to read some secrets, wherever in the tenancy they are.

    Args:
        principal: who.
        secret_ids: the secrets.
        conditions: what must be true besides.
    """
    return [
        _allow(principal, "read secret-bundles", "tenancy", [*conditions, f"target.secret.id = '{secret}'"])
        for secret in secret_ids
    ]


def metric_statement(conditions: Sequence[str], compartment_id: str, cluster: str) -> str:
    """The right to write metrics of the cluster's own.

    Args:
        conditions: what makes `any-user` the nodes.
        compartment_id: where the metrics go.
        cluster: the cluster's name: the metrics' namespace, with '_' for '-'.
    """
    own = f"target.metrics.namespace = '{cluster.replace('-', '_')}'"
    return _allow("any-user", "use metrics", place(compartment_id), [*conditions, own])


def cluster_key_statements(key_id: str, compartment_id: str) -> list[str]:
    """The right of OKE's clusters in one compartment to a Vault key: for secrets, and for volumes of pods.

    Source: https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengencryptingdata.htm (as of 2026-11).

    Args:
        key_id: the key, wherever in the tenancy it is.
        compartment_id: compartment of the clusters.
    """
    conditions = [*_cluster(compartment_id), f"target.key.id = '{key_id}'"]
    return [_allow("any-user", f"use {kind}", "tenancy", conditions) for kind in ("keys", "key-delegates")]


def volume_key_statements(key_id: str) -> list[str]:
    """The right to encrypt volumes of machines by a Vault key.

    Source: https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengoverviewworkernodes.htm (as of 2026-11).

    Args:
        key_id: the key, wherever in the tenancy it is.
    """
    own = f"target.key.id = '{key_id}'"
    return [
        _allow("service blockstorage", "use keys", "tenancy", [own]),
        _allow("any-user", "use key-delegates", "tenancy", ["request.principal.type = 'nodepool'", own]),
    ]


def cluster_network_statements(network_compartment_id: str, compartment_id: str) -> list[str]:
    """The right of OKE's clusters in one compartment to a network in another.

    Source:
    https://docs.oracle.com/en-us/iaas/Content/ContEng/Concepts/contengpodnetworking_topic-OCI_CNI_plugin.htm
    (as of 2026-11).

    Args:
        network_compartment_id: compartment of the network.
        compartment_id: compartment of the clusters.
    """
    kinds = ("private-ips", "network-security-groups", "subnets", "vnics")
    where = place(network_compartment_id)
    return [_allow("any-user", f"use {kind}", where, _cluster(compartment_id)) for kind in kinds]


def workload(cluster_id: str, namespace: str, service_account: str) -> list[str]:
    """Conditions that make `any-user` the pods of one service account.

    Source:
    https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contenggrantingworkloadaccesstoresources.htm
    (as of 2026-11).

    Args:
        cluster_id: the OKE cluster.
        namespace: the Kubernetes namespace.
        service_account: the service account in it.
    """
    return [
        "request.principal.type = 'workload'",
        f"request.principal.namespace = '{namespace}'",
        f"request.principal.service_account = '{service_account}'",
        f"request.principal.cluster_id = '{cluster_id}'",
    ]


def _cluster(compartment_id: str) -> list[str]:
    return [
        "request.principal.type = 'cluster'",
        f"request.principal.compartment.id = '{compartment_id}'",
    ]


def _allow(principal: str, right: str, where: str, conditions: Sequence[str]) -> str:
    return f"Allow {principal} to {right} in {where} where ALL {{{', '.join(conditions)}}}"
