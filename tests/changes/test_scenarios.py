"""What an operator changes, on every cloud and kind of compute: what is replaced, and what is dangerous."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import frozen
from terraform_json import ROOT

from aether_infra.changes.model import Action, Changes
from aether_infra.changes.stacks import compare_documents

REPLACE, CHANGE, ADD, REMOVE = Action.REPLACE, Action.CHANGE, Action.ADD, Action.REMOVE


@frozen(kw_only=True)
class Scenario:
    """An edit of an example, and what it must be said to do."""

    base: str
    edits: Mapping[str, str]
    does: Mapping[str, Action]
    """What happens, by type and place: `aws_vpc network`."""
    dangers: tuple[str, ...] = ()
    """Kinds of danger, in order."""
    notes: tuple[str, ...] = ()
    counts: Mapping[Action, int] | None = None
    """How many resources in all; None where that is the stacks' business."""


def aws(key: str, **others: Any) -> Scenario:
    return Scenario(base="aws", edits={"max_nodes = 10": f"max_nodes = 10\n{key}"}, **others)


SCENARIOS = {
    "fargate: image": Scenario(
        base="aws",
        edits={"node:latest": "node:2"},
        does={
            "aws_ecs_task_definition compute/node-1/task-definition": REPLACE,
            "aws_ecs_service compute/node-1": CHANGE,
            "aws_lambda_invocation rollout/node-1": REPLACE,
        },
        notes=("rollout",),
        counts={REPLACE: 7, CHANGE: 4},
    ),
    "fargate: bounds": Scenario(
        base="aws",
        edits={"max_nodes = 10": "max_nodes = 12"},
        does={"aws_appautoscaling_target compute/elastic/scaling-target": CHANGE},
        counts={CHANGE: 1},
    ),
    "fargate: spot": aws("spot = true", does={"aws_ecs_service compute/elastic": CHANGE}, counts={CHANGE: 1}),
    "fargate: network": aws(
        'vpc_cidr = "10.9.0.0/16"',
        does={
            "aws_vpc network": REPLACE,
            "aws_subnet network/private/az1": REPLACE,
            "aws_lb load-balancer": CHANGE,
        },
        dangers=("network",),
        notes=("rollout",),
    ),
    "fargate: five": Scenario(
        base="aws",
        edits={"\nnodes = 3 ": "\nnodes = 5 ", "min_nodes = 3": "min_nodes = 5"},
        does={"aws_ecs_service compute/node-5": ADD, "aws_ecs_service compute/node-3": CHANGE},
        dangers=("quorum",),
        notes=("rollout",),
    ),
    "fargate: region": Scenario(
        base="aws",
        edits={"us-west-2": "eu-west-1"},
        does={"aws_vpc network": REPLACE, "aws_ecs_service compute/node-2": REPLACE},
        dangers=("place", "quorum", "cluster", "data", "data", "data", "network", "address"),
    ),
    "fargate: name": Scenario(
        base="aws",
        edits={'name = "aether"': 'name = "other"'},
        does={"aws_ecs_cluster compute": REPLACE, "aws_vpc network": CHANGE},
        dangers=("state", "name", "quorum", "cluster", "data", "data", "data", "address"),
    ),
    "fargate: unprotected": Scenario(
        base="aws",
        edits={"[cloud]\n": "[cloud]\nprotect = false\n"},
        does={"aws_lb load-balancer": CHANGE},
        dangers=("protection",),
    ),
    "fargate: state": Scenario(
        base="aws",
        edits={
            "[cloud.aws]": '[cloud.state]\nbackend = "s3"\nbucket = "states"\nregion = "us-west-2"\n\n[cloud.aws]'
        },
        does={},
        dangers=("state",),
        counts={},
    ),
    "fargate: becomes ec2": aws(
        'compute = "ec2"',
        does={"aws_ecs_service compute/node-1": REMOVE, "aws_instance compute/node-1": ADD},
        dangers=("quorum", "cluster", "data"),
    ),
    "ec2: image": Scenario(
        base="aws-ec2",
        edits={"0.7.0": "0.8.0"},
        does={"aws_ssm_parameter node/settings": CHANGE, "aws_ssm_association compute/rollout": CHANGE},
        notes=("rollout",),
    ),
    "ec2: size": Scenario(
        base="aws-ec2",
        edits={"m7g.large": "m7g.xlarge"},
        does={"aws_instance compute/node-1": CHANGE, "aws_instance compute/node-3": CHANGE},
        dangers=("quorum",),
    ),
    "ec2: another processor": Scenario(
        base="aws-ec2",
        edits={"m7g.large": "m6i.large"},
        does={
            "aws_instance compute/node-1": REPLACE,
            "aws_volume_attachment compute/node-1/data-attachment": REPLACE,
        },
        dangers=("quorum",),
    ),
    "eks: service range": Scenario(
        base="aws-eks",
        edits={'compute = "eks"': 'compute = "eks"\nservice_cidr = "172.21.0.0/16"'},
        does={"aws_eks_cluster compute": REPLACE, "kubernetes_stateful_set_v1 aether/core": REPLACE},
        dangers=("refused", "cluster"),
        notes=("rollout",),
    ),
    "gke: machines": Scenario(
        base="gcp",
        edits={"authorized_cidrs": 'machine_type = "n2-standard-8"\nauthorized_cidrs'},
        does={"google_container_node_pool pool-jvm": CHANGE},
        notes=("rollout",),
    ),
    "gke: disks of the nodes": Scenario(
        base="gcp",
        edits={"authorized_cidrs": "data_volume_gib = 40\nauthorized_cidrs"},
        does={"kubernetes_stateful_set_v1 aether/core": CHANGE},
        notes=("no-effect",),
        counts={CHANGE: 1},
    ),
    "gce: image": Scenario(
        base="gcp-vm",
        edits={"0.7.0": "0.8.0"},
        does={
            "google_compute_instance_template compute/node-1/template": REPLACE,
            "google_compute_instance_group_manager compute/node-1": CHANGE,
        },
        notes=("rollout",),
    ),
    "gce: smaller disks": Scenario(
        base="gcp-vm",
        edits={"data_volume_gib = 50": "data_volume_gib = 30"},
        does={"google_compute_disk compute/node-1/data": REPLACE},
        dangers=("refused", "quorum", "data"),
    ),
    "gce: larger disks": Scenario(
        base="gcp-vm",
        edits={"data_volume_gib = 50": "data_volume_gib = 70"},
        does={"google_compute_disk compute/node-1/data": CHANGE},
        counts={CHANGE: 3},
    ),
    "aks: machines": Scenario(
        base="azure",
        edits={"location = ": 'vm_size = "Standard_D8s_v3"\nlocation = '},
        does={"azurerm_kubernetes_cluster_node_pool compute/pool-jvm": CHANGE},
        notes=("rollout",),
    ),
    "azure vm: size": Scenario(
        base="azure-vm",
        edits={"Standard_D4s_v5": "Standard_D8s_v5"},
        does={
            "azurerm_linux_virtual_machine compute/node-1": CHANGE,
            "azurerm_virtual_machine_run_command compute/node-1/rollout": CHANGE,
        },
        notes=("rollout",),
    ),
    "azure vm: smaller disks": Scenario(
        base="azure-vm",
        edits={"data_volume_gib = 64": "data_volume_gib = 32"},
        does={"azurerm_managed_disk compute/node-1/data": CHANGE},
        dangers=("refused",),
    ),
    "doks: system machines": Scenario(
        base="digitalocean",
        edits={'region = "fra1"': 'region = "fra1"\nsystem_droplet_size = "s-4vcpu-8gb"'},
        does={
            "digitalocean_kubernetes_cluster compute": REPLACE,
            "kubernetes_namespace_v1 aether/namespace": REPLACE,
        },
        dangers=("refused", "quorum", "cluster"),
    ),
    "doks: machines": Scenario(
        base="digitalocean",
        edits={'region = "fra1"': 'region = "fra1"\ndroplet_size = "s-8vcpu-16gb"'},
        does={"digitalocean_kubernetes_node_pool compute/jvm-pool": REPLACE},
        dangers=("quorum",),
    ),
    "droplets: image": Scenario(
        base="digitalocean-vm",
        edits={"0.7.0": "0.8.0"},
        does={"digitalocean_droplet_autoscale compute/elastic": CHANGE},
        notes=("settings",),
        counts={CHANGE: 1},
    ),
    "droplets: size": Scenario(
        base="digitalocean-vm",
        edits={"s-4vcpu-8gb": "s-8vcpu-16gb"},
        does={"digitalocean_droplet compute/node-1": CHANGE},
        dangers=("quorum",),
    ),
    "droplets: domain": Scenario(
        base="digitalocean-vm",
        edits={"cellar.example.com": "cave.example.com"},
        does={"digitalocean_certificate certificate": REPLACE, "digitalocean_record record": CHANGE},
        dangers=("address",),
    ),
    "oke: service range": Scenario(
        base="oracle",
        edits={"compartment_id": 'service_cidr = "10.97.0.0/16"\ncompartment_id'},
        does={"oci_containerengine_cluster cluster": REPLACE},
        dangers=("refused", "quorum", "cluster", "data"),
    ),
    "oracle vm: processors": Scenario(
        base="oracle-vm",
        edits={"ocpus = 2": "ocpus = 4"},
        does={
            "oci_core_instance compute/node-1": CHANGE,
            "oci_core_instance_configuration compute/template": REPLACE,
        },
        dangers=("quorum",),
    ),
    "oracle vm: region": Scenario(
        base="oracle-vm",
        edits={'region = "eu-frankfurt-1"': 'region = "eu-zurich-1"'},
        does={"oci_core_vcn network": REPLACE},
        dangers=("place",),
    ),
    "kubernetes: image": Scenario(
        base="kubernetes",
        edits={"1.2.3": "1.2.4"},
        does={
            "kubernetes_stateful_set_v1 aether/core": CHANGE,
            "kubernetes_deployment_v1 aether/elastic": CHANGE,
        },
        notes=("rollout",),
    ),
    "kubernetes: namespace": Scenario(
        base="kubernetes",
        edits={'namespace = "aether"': 'namespace = "elsewhere"'},
        does={"kubernetes_stateful_set_v1 aether/core": REPLACE},
        dangers=("quorum", "data"),
    ),
    "kubernetes: another cluster": Scenario(
        base="kubernetes",
        edits={'context = "production"': 'context = "staging"'},
        does={"kubernetes_namespace_v1 aether/namespace": REPLACE},
        dangers=("place",),
    ),
}


def happened(changes: Changes) -> dict[str, Action]:
    return {f"{each.block.type} {each.block.place}": each.action for each in changes}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, edited: Any) -> None:
    scenario = SCENARIOS[name]
    changes = edited(scenario.base, scenario.edits)
    found = happened(changes)
    assert {key: found.get(key) for key in scenario.does} == dict(scenario.does)
    assert tuple(danger.kind for danger in changes.dangers) == scenario.dangers
    assert tuple(note.kind for note in changes.notes) == scenario.notes
    if scenario.counts is not None:
        assert {action: count for action, count in changes.counts.items() if count} == dict(scenario.counts)


def test_replaced_machines_are_told_with_the_numbers(edited: Any) -> None:
    changes = edited("aws", SCENARIOS["fargate: name"].edits)
    (danger,) = (each for each in changes.dangers if each.kind == "quorum")
    assert "3 of 3 core nodes" in danger.message
    assert "a quorum is 2" in danger.message
    assert len(danger.addresses) == 3


def test_five_become_three_again(documents: Any) -> None:
    three = (ROOT / "apps/examples/aws.toml").read_text(encoding="utf-8")
    five = three
    for before, after in SCENARIOS["fargate: five"].edits.items():
        five = five.replace(before, after, 1)
    changes = compare_documents(documents(five), documents(three))
    assert [danger.kind for danger in changes.dangers] == ["quorum"]
    assert "just the quorum of 5" in changes.dangers[0].message
