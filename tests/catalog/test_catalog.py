"""Facts about the clouds hang together."""

from __future__ import annotations

import re

import pytest

from aether_infra.catalog import aws, azure, digitalocean, gcp, oracle
from aether_infra.catalog.terraform import BACKENDS
from aether_infra.config.credentials import WHERE_STATE, looks_secret


@pytest.mark.parametrize("region", aws.REGIONS)
def test_aws_regions_have_the_form_and_own_zones(region: str) -> None:
    zones = aws.REGIONS[region]
    assert re.fullmatch(aws.REGION_FORM, region)
    assert 2 <= len(zones) <= aws.MOST_ZONES
    assert len({zone.rpartition("-")[0] for zone in zones}) == 1
    assert not set(zones) & set(aws.CONSTRAINED_ZONES)
    assert all(1 <= int(zone.rpartition("-az")[2]) <= aws.MOST_ZONES for zone in zones)


def test_zone_ids_belong_to_one_region() -> None:
    every = [zone for zones in aws.REGIONS.values() for zone in zones]
    assert len(every) == len(set(every))


def test_aws_regions_are_botocores() -> None:
    session = pytest.importorskip("botocore.session").Session()
    known = {
        region
        for part in ("aws", "aws-cn", "aws-us-gov")
        for region in session.get_available_regions("ec2", part)
    }
    assert set(aws.REGIONS) == known


def test_fargate_sizes_grow() -> None:
    for cpu, memories in aws.FARGATE_SIZES.items():
        assert list(memories) == sorted(set(memories))
        assert memories[-1] <= aws.FARGATE_MOST_MIB
        assert cpu % 256 == 0


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("m6i.large", "x86_64"), ("m7g.large", "arm64"), ("c6gn.xlarge", "arm64"),
        ("t4g.small", "arm64"), ("im4gn.large", "arm64"), ("is4gen.large", "arm64"),
        ("x2gd.medium", "arm64"), ("a1.large", "arm64"), ("g5g.xlarge", "arm64"),
        ("g5.xlarge", "x86_64"), ("g4dn.xlarge", "x86_64"), ("r8gd.metal-24xl", "arm64"),
        ("c7gd.16xlarge", "arm64"), ("hpc7g.4xlarge", "arm64"), ("m7i-flex.large", "x86_64"),
        ("t3a.nano", "x86_64"), ("p5en.48xlarge", "x86_64"), ("i8g.large", "arm64"),
        ("u-6tb1.metal", "x86_64"),
    ],
)  # fmt: skip
def test_architecture_of_instance_types(instance_type: str, expected: str) -> None:
    assert re.fullmatch(aws.INSTANCE_TYPE_FORM, instance_type)
    assert aws.architecture(instance_type) == expected


@pytest.mark.parametrize(
    ("instance_type", "gib"),
    [
        ("m6i.large", 8), ("c7g.xlarge", 8), ("r6i.2xlarge", 64), ("t3.medium", 4), ("m7g.medium", 4),
        ("m5.24xlarge", 384), ("t4g.nano", 0.5), ("m7i-flex.large", 8), ("x2gd.large", None),
        ("m6i.metal", None),
    ],
)  # fmt: skip
def test_memory_of_instance_types(instance_type: str, gib: float | None) -> None:
    assert aws.instance_memory_mib(instance_type) == (None if gib is None else gib * 1024)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("us-west-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_partitions(region: str, expected: str) -> None:
    assert re.fullmatch(aws.REGION_FORM, region)
    assert aws.partition(region) == expected


@pytest.mark.parametrize(
    ("policy", "good"),
    [
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", True),
        ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", True),
        ("ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", True),
        ("ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-PQ-2025-09", True),
        ("ELBSecurityPolicy-TLS13-1-1-2021-06", False),
        ("ELBSecurityPolicy-2016-08", False),
        ("ELBSecurityPolicy-TLS-1-2-2017-01", False),
    ],
)
def test_tls_policies(policy: str, good: bool) -> None:  # noqa: FBT001 - a table's column
    assert bool(re.fullmatch(aws.TLS_POLICY_FORM, policy)) is good


def test_forms_fit_the_lists() -> None:
    assert all(re.fullmatch(gcp.REGION_FORM, region) for region in gcp.REGIONS)
    assert all(re.fullmatch(azure.LOCATION_FORM, location) for location in azure.LOCATIONS)
    assert all(re.fullmatch(digitalocean.REGION_FORM, region) for region in digitalocean.REGIONS)
    assert all(re.fullmatch(oracle.REGION_FORM, region) for region in oracle.REGIONS)
    assert all(re.fullmatch(oracle.SHAPE_FORM, shape) for shape in oracle.FLEXIBLE_SHAPES)


@pytest.mark.parametrize(
    ("machine_type", "gib"),
    [
        ("e2-standard-4", 16),
        ("n2-highmem-8", 64),
        ("c3-highcpu-4", 8),
        ("n2-custom-4-8192", None),
        ("m1-ultramem-40", None),
    ],
)
def test_memory_of_machine_types(machine_type: str, gib: int | None) -> None:
    assert re.fullmatch(gcp.MACHINE_TYPE_FORM, machine_type)
    assert gcp.memory_mib(machine_type) == (None if gib is None else gib * 1024)


@pytest.mark.parametrize(
    ("vm_size", "gib", "arm"),
    [
        ("Standard_D4s_v3", 16, False), ("Standard_E8s_v5", 64, False), ("Standard_F4s_v2", 8, False),
        ("Standard_D2ps_v5", 8, True), ("Standard_D4pls_v5", None, True), ("Standard_B2ms", None, False),
        ("Standard_DC4as_v5", None, False),
    ],
)  # fmt: skip
def test_vm_sizes(vm_size: str, gib: int | None, arm: bool) -> None:  # noqa: FBT001 - a table's column
    assert re.fullmatch(azure.VM_SIZE_FORM, vm_size)
    assert azure.memory_mib(vm_size) == (None if gib is None else gib * 1024)
    assert azure.arm64(vm_size) is arm


@pytest.mark.parametrize(
    ("size", "mib"),
    [
        ("s-4vcpu-8gb", 8192),
        ("s-1vcpu-512mb-10gb", 512),
        ("g-2vcpu-8gb", 8192),
        ("c-2", None),
        ("so1_5-2vcpu-16gb", 16384),
    ],
)
def test_droplet_sizes(size: str, mib: int | None) -> None:
    assert re.fullmatch(digitalocean.DROPLET_SIZE_FORM, size)
    assert digitalocean.memory_mib(size) == mib


@pytest.mark.parametrize(
    ("shape", "arm"),
    [("VM.Standard.E5.Flex", False), ("VM.Standard.A1.Flex", True), ("VM.Standard2.4", False)],
)
def test_shapes(shape: str, arm: bool) -> None:  # noqa: FBT001 - a table's column
    assert oracle.arm64(shape) is arm


def test_no_known_backend_setting_counts_as_a_secret() -> None:
    for name, backend in BACKENDS.items():
        assert name == "local" or name in WHERE_STATE
        assert not [setting for setting in backend.settings if looks_secret(setting)]
