"""Facts about Amazon Web Services."""

import re
from collections.abc import Mapping
from typing import Final

REGION_FORM: Final = r"[a-z]{2,4}(?:-[a-z]{2,5})?-(?:[a-z]+)-\d{1,2}"
"""Form of a region's name."""


def _ids(short: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{short}-az{number}" for number in numbers)


REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "af-south-1": _ids("afs1", 1, 2, 3),
    "ap-east-1": _ids("ape1", 1, 2, 3),
    "ap-east-2": _ids("ape2", 1, 2, 3),
    "ap-northeast-1": _ids("apne1", 1, 2, 4),
    "ap-northeast-2": _ids("apne2", 1, 2, 3, 4),
    "ap-northeast-3": _ids("apne3", 1, 2, 3),
    "ap-south-1": _ids("aps1", 1, 2, 3),
    "ap-south-2": _ids("aps2", 1, 2, 3),
    "ap-southeast-1": _ids("apse1", 1, 2, 3),
    "ap-southeast-2": _ids("apse2", 1, 2, 3),
    "ap-southeast-3": _ids("apse3", 1, 2, 3),
    "ap-southeast-4": _ids("apse4", 1, 2, 3),
    "ap-southeast-5": _ids("apse5", 1, 2, 3),
    "ap-southeast-6": _ids("apse6", 1, 2, 3),
    "ap-southeast-7": _ids("apse7", 1, 2, 3),
    "ca-central-1": _ids("cac1", 1, 2, 4),
    "ca-west-1": _ids("caw1", 1, 2, 3),
    "cn-north-1": _ids("cnn1", 1, 2, 4),
    "cn-northwest-1": _ids("cnnw1", 1, 2, 3),
    "eu-central-1": _ids("euc1", 1, 2, 3),
    "eu-central-2": _ids("euc2", 1, 2, 3),
    "eu-north-1": _ids("eun1", 1, 2, 3),
    "eu-south-1": _ids("eus1", 1, 2, 3),
    "eu-south-2": _ids("eus2", 1, 2, 3),
    "eu-west-1": _ids("euw1", 1, 2, 3),
    "eu-west-2": _ids("euw2", 1, 2, 3, 4),
    "eu-west-3": _ids("euw3", 1, 2, 3),
    "il-central-1": _ids("ilc1", 1, 2, 3),
    "me-central-1": _ids("mec1", 1, 2, 3),
    "me-south-1": _ids("mes1", 1, 2, 3),
    "mx-central-1": _ids("mxc1", 1, 2, 3),
    "sa-east-1": _ids("sae1", 1, 2, 3),
    "us-east-1": _ids("use1", 1, 2, 4, 5, 6),
    "us-east-2": _ids("use2", 1, 2, 3),
    "us-gov-east-1": _ids("usge1", 1, 2, 3),
    "us-gov-west-1": _ids("usgw1", 1, 2, 3),
    "us-west-1": _ids("usw1", 1, 3),
    "us-west-2": _ids("usw2", 1, 2, 3, 4),
}
"""Zone ids of each region that any account can use. Source:
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
(as of 2026-11)."""

CONSTRAINED_ZONES: Final = ("apne1-az3", "cac1-az3", "use1-az3", "usw1-az2")
"""Zones that are closed to new accounts, and that services such as EKS do not have: usable only when listed.
Sources: as above, and https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html (as of 2026-11)."""

ZONE_ID_FORM: Final = r"[a-z]+[0-9]+-az[1-8]"
"""Form of a zone's id, without local and wavelength zones. Source: as above."""

LEAST_ZONES: Final = 2
"""Zones that an Application Load Balancer needs. Source:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
(as of 2026-11)."""

MOST_ZONES: Final = 8
"""More zones than any region has; also the number of slots for subnets in a VPC."""

FARGATE_SIZES: Final[Mapping[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""Memory in MiB that Fargate allows for each number of CPU units. Source:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html (as of 2026-11)."""

FARGATE_MOST_MIB: Final = 122880
"""The largest Fargate task's memory."""


def fargate_pair(millicores: int, memory_mib: int) -> tuple[int, int] | None:
    """The smallest Fargate task that has at least so much: CPU units and MiB; None if none has.

    Args:
        millicores: thousandths of a processor.
        memory_mib: memory in MiB.
    """
    for units, memories in FARGATE_SIZES.items():
        fitting = [memory for memory in memories if memory >= memory_mib]
        if units * 1000 >= millicores * 1024 and fitting:
            return units, fitting[0]
    return None


INSTANCE_TYPE_FORM: Final = (
    r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\.(?:nano|micro|small|medium|large|\d*xlarge|metal(?:-\d+xl)?)"
)
"""Form of an instance type. Source:
https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html (as of 2026-11)."""

GRAVITON: Final = r"a1|g5g|[a-z]+\d+g[a-z]*(?:-[a-z0-9]+)*"
"""Families with Graviton processors: `g` is the first letter after the generation, except a1. Source: as
above."""


def architecture(instance_type: str) -> str:
    """Processor architecture of an instance type: `arm64` or `x86_64`."""
    return "arm64" if re.fullmatch(GRAVITON, instance_type.partition(".")[0]) else "x86_64"


LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Retention that CloudWatch Logs allows, in days. Source:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
(as of 2026-11)."""

TLS_POLICY_FORM: Final = r"ELBSecurityPolicy-TLS13-1-[23](?:-Res|-Ext[0-2])?(?:-FIPS)?(?:-PQ)?-20\d\d-\d\d"
"""Form of an ALB's TLS policies that allow nothing below TLS 1.2. Source:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
(as of 2026-11)."""

GIB_PER_CPU: Final[Mapping[str, int]] = {"c": 2, "m": 4, "r": 8}
"""Memory per processor by the first letter of a family. Source:
https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html (as of 2026-11)."""
_SMALL_T: Final = {
    "nano": 512,
    "micro": 1024,
    "small": 2048,
    "medium": 4096,
    "large": 8192,
    "xlarge": 16384,
    "2xlarge": 32768,
}


def instance_memory_mib(instance_type: str) -> int | None:
    """Memory of an instance type in MiB; None for a family that is not known here."""
    family, _, size = instance_type.partition(".")
    if re.fullmatch(r"t[2-9][a-z]*", family):
        return _SMALL_T.get(size)
    match = re.fullmatch(r"([cmr])[5-9][a-z-]*", family)
    cpus = {"medium": 1, "large": 2, "xlarge": 4}.get(size)
    if many := re.fullmatch(r"(\d+)xlarge", size):
        cpus = 4 * int(many[1])
    return GIB_PER_CPU[match[1]] * cpus * 1024 if match and cpus else None


def partition(region: str) -> str:
    """The partition that a region belongs to, as ARNs name it."""
    for prefix, name in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")):
        if region.startswith(prefix):
            return name
    return "aws"


CONTAINER_PROBE_SECONDS: Final = 60
"""Longest time-out of a container's health check.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html (as of 2026-11)."""

INSTANCE_TAG_KEY: Final = r"[A-Za-z0-9+\-=.,_:@]{1,128}"
"""Keys of tags that instance metadata serves; an instance with another cannot be launched with it on.
Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html (as of 2026-11)."""

AUTOSCALER_VERSIONS: Final[Mapping[str, str]] = {
    "1.30": "1.30.7",
    "1.31": "1.31.5",
    "1.32": "1.32.7",
    "1.33": "1.33.6",
    "1.34": "1.34.5",
    "1.35": "1.35.2",
    "1.36": "1.36.1",
}
"""Releases of the cluster autoscaler by the Kubernetes minor version that each is made for.
Source: https://github.com/kubernetes/autoscaler/releases (as of 2026-11)."""


def autoscaler_image(kubernetes_version: str | None) -> str:
    """Image of the cluster autoscaler for a Kubernetes version; default: of the newest known one."""
    wanted = kubernetes_version or list(AUTOSCALER_VERSIONS)[-1]
    # the first release of a minor version always has this number
    version = AUTOSCALER_VERSIONS.get(wanted, f"{wanted}.0")
    return f"registry.k8s.io/autoscaling/cluster-autoscaler:v{version}"
