"""Sums: Fargate sizes, heap, memory, zones."""

from __future__ import annotations

import pytest

from aether_infra.catalog import aws as catalog
from aether_infra.config import (
    FargateSize,
    Provider,
    architecture,
    aws_zones,
    azure_zones,
    fargate_size,
    gcp_zones,
    heap_mib,
    loads,
    memory_for_heap,
    node_memory_mib,
    oracle_zones,
)
from aether_infra.config.quantities import memory_mib, millicores
from aether_infra.config.sizing import largest_heap

SMALL = 'cpu_request = "250m", cpu_limit = "250m", memory_request = "256Mi", memory_limit = "512Mi"'
UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("aws", "node", "expected"),
    [
        ("", "", (2048, 4096)),
        ("cpu = 2048\nmemory_mib = 4096", "", (2048, 4096)),
        ("cpu = 512", "", (512, 2048)),
        ("cpu = 256\nmemory_mib = 512", "", (256, 512)),
        ("memory_mib = 8192", "", (2048, 8192)),
        ("memory_mib = 2048", "", (1024, 2048)),
        ("memory_mib = 122880", "", (16384, 122880)),
        ("", 'heap = "4g"', (2048, 5120)),
        ("", 'heap = "20g"', (4096, 25600)),
        ("cpu = 1024", 'heap = "4g"', (1024, 5120)),
        ("", 'resources = { cpu_limit = "500m", memory_limit = "1Gi" }', (512, 1024)),
        ("", f"resources = {{ {SMALL} }}", (256, 512)),
        ("", 'resources = { cpu_limit = "5" }', (8192, 16384)),
    ],
)  # fmt: skip
def test_fargate_size(aws: str, node: str, expected: tuple[int, int]) -> None:
    size = fargate_size(loads(f"[node]\n{node}\n[cloud.aws]\n{aws}", env={}))
    assert (size.cpu_units, size.memory_mib) == expected
    assert size.memory_mib in catalog.FARGATE_SIZES[size.cpu_units]


def test_every_fargate_size_can_be_asked_for() -> None:
    for cpu, memories in catalog.FARGATE_SIZES.items():
        for memory in memories:
            config = loads(f"[cloud.aws]\ncpu = {cpu}\nmemory_mib = {memory}", env={})
            assert fargate_size(config) == FargateSize(cpu_units=cpu, memory_mib=memory)


@pytest.mark.parametrize(
    ("heap", "memory", "expected"),
    [
        ("", 4096, 3072),
        ("", 512, 256),
        ("", 1024, 768),
        ('heap = "1g"', 4096, 1024),
        ('heap = "512m"', 2048, 512),
    ],
)
def test_heap(heap: str, memory: int, expected: int) -> None:
    assert heap_mib(loads(f"[node]\n{heap}\n[cloud.aws]", env={}), memory) == expected


@pytest.mark.parametrize("memory", [300, 512, 1024, 1280, 2048, 4096, 30720])
def test_derived_heap_fits_its_memory(memory: int) -> None:
    heap = heap_mib(loads("[cloud.aws]", env={}), memory)
    assert memory_for_heap(heap) <= memory
    assert memory_for_heap(largest_heap(memory)) <= memory < memory_for_heap(largest_heap(memory) + 1)


@pytest.mark.parametrize(
    ("text", "provider", "expected"),
    [
        ("[cloud.aws]", Provider.AWS, 4096),
        ('[cloud.aws]\ncompute = "eks"', Provider.AWS, 2048),
        ('[cloud.aws]\ncompute = "ec2"', Provider.AWS, 8192 - 512),
        ('[cloud.aws]\ncompute = "ec2"\ninstance_type = "x2gd.large"', Provider.AWS, None),
        ('[cloud.gcp]\nproject = "my-project"\ncompute = "vm"', Provider.GCP, 16384 - 512),
        (f'[cloud.azure]\nsubscription_id = "{UUID}"\ncompute = "vm"', Provider.AZURE, 16384 - 512),
        ('[cloud.digitalocean]\ncompute = "vm"', Provider.DIGITALOCEAN, 8192 - 512),
        ("[cloud.digitalocean]", Provider.DIGITALOCEAN, 2048),
    ],
)
def test_node_memory(text: str, provider: Provider, expected: int | None) -> None:
    assert node_memory_mib(loads(text, env={}), provider) == expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("2Gi", 2048), ("512Mi", 512), ("1.5Gi", 1536), ("1G", 954), ("134217728", 128), ("134217729", 129)],
)
def test_memory_quantities(quantity: str, expected: int) -> None:
    assert memory_mib(quantity) == expected


@pytest.mark.parametrize(
    ("quantity", "expected"), [("500m", 500), ("2", 2000), ("1.5", 1500), ("0.125", 125), ("128", 128000)]
)
def test_cpu_quantities(quantity: str, expected: int) -> None:
    assert millicores(quantity) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("usw2-az1", "az1", 0), ("usw2-az2", "az2", 1), ("usw2-az3", "az3", 2)]),
        ("availability_zones = 2", [("usw2-az1", "az1", 0), ("usw2-az2", "az2", 1)]),
        ('region = "us-west-1"\navailability_zones = 2', [("usw1-az1", "az1", 0), ("usw1-az3", "az3", 2)]),
        ('region = "us-east-1"', [("use1-az1", "az1", 0), ("use1-az2", "az2", 1), ("use1-az4", "az4", 3)]),
        (
            'availability_zones = ["us-west-2c", "us-west-2a"]',
            [("us-west-2c", "c", 2), ("us-west-2a", "a", 0)],
        ),
        ('availability_zones = ["usw2-az4", "usw2-az2"]', [("usw2-az4", "az4", 3), ("usw2-az2", "az2", 1)]),
        (
            'region = "xx-north-9"\navailability_zones = ["xx-north-9a", "xx-north-9b"]',
            [("xx-north-9a", "a", 0), ("xx-north-9b", "b", 1)],
        ),
    ],
)
def test_aws_zones(text: str, expected: list[tuple[str, str, int]]) -> None:
    aws = loads(f"[cloud.aws]\n{text}", env={}).cloud.aws
    assert aws is not None
    assert [(zone.name_or_id, zone.key, zone.slot) for zone in aws_zones(aws)] == expected


def test_a_zones_slot_does_not_depend_on_the_others() -> None:
    slots: dict[str, int] = {}
    for zones in (
        '["us-west-2a", "us-west-2b"]',
        '["us-west-2b", "us-west-2d"]',
        '["us-west-2d", "us-west-2a"]',
    ):
        aws = loads(f"[cloud.aws]\navailability_zones = {zones}", env={}).cloud.aws
        assert aws is not None
        for zone in aws_zones(aws):
            assert slots.setdefault(zone.name_or_id, zone.slot) == zone.slot


def test_zones_of_the_other_clouds() -> None:
    text = f"""
        [cloud]
        provider = "gcp"
        [cloud.gcp]
        project = "my-project"
        region = "europe-west1"
        [cloud.azure]
        subscription_id = "{UUID}"
        [cloud.oracle]
        compartment_id = "ocid1.compartment.oc1..a"
        tenancy_id = "ocid1.tenancy.oc1..a"
    """
    cloud = loads(text, env={}).cloud
    assert cloud.gcp is not None
    assert cloud.azure is not None
    assert cloud.oracle is not None
    assert [zone.key for zone in gcp_zones(cloud.gcp)] == ["b", "c", "d"]
    assert [zone.name_or_id for zone in azure_zones(cloud.azure)] == ["1", "2", "3"]
    assert [zone.key for zone in oracle_zones(cloud.oracle)] == ["ad1", "ad2", "ad3"]


def test_a_location_without_zones_and_a_region_with_one_domain() -> None:
    text = f'[cloud.azure]\nsubscription_id = "{UUID}"\nlocation = "westus"'
    azure = loads(text, env={}).cloud.azure
    assert azure is not None
    assert azure_zones(azure) == ()
    text = '[cloud.oracle]\ncompartment_id = "ocid1.tenancy.oc1..a"\ntenancy_id = "ocid1.tenancy.oc1..a"\n'
    oracle = loads(text + 'region = "eu-zurich-1"', env={}).cloud.oracle
    assert oracle is not None
    assert len(oracle_zones(oracle)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "x86_64"),
        ('instance_type = "m7g.large"', "x86_64"),
        ('architecture = "arm64"', "arm64"),
        ('compute = "ec2"\ninstance_type = "m7g.large"', "arm64"),
        ('compute = "eks"', "x86_64"),
    ],
)
def test_architecture(text: str, expected: str) -> None:
    assert architecture(loads(f"[cloud.aws]\n{text}", env={}).section(Provider.AWS)) == expected
