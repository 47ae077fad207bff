"""Forms of AWS's names: ARNs and resource ids."""

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from aether_infra.config.checks import Fault, matches
from aether_infra.config.words import show

PARTITION: Final = r"aws(?:-cn|-us-gov|-eusc)?"


@frozen
class ArnForm:
    """What the ARN of one kind of resource looks like."""

    what: str
    """The resource in words."""
    service: str
    """The third part of the ARN."""
    resource: str
    """Regular expression of everything after the account."""
    example: str
    """An ARN as documentation writes it."""
    regional: bool = True
    """Whether the ARN names a region."""


ARN_FORMS: Final[Mapping[str, ArnForm]] = {
    "acm": ArnForm(
        "an ACM certificate", "acm", r"certificate/[A-Za-z0-9-]+", "arn:aws:acm:REGION:ACCOUNT:certificate/ID"
    ),
    "wafv2": ArnForm(
        "a regional WAF web ACL",
        "wafv2",
        r"regional/webacl/[A-Za-z0-9_-]+/[0-9a-f-]+",
        "arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID",
    ),
    "sns": ArnForm("an SNS topic", "sns", r"[A-Za-z0-9_-]{1,256}", "arn:aws:sns:REGION:ACCOUNT:NAME"),
    "kms": ArnForm("a KMS key", "kms", r"key/[A-Za-z0-9-]+", "arn:aws:kms:REGION:ACCOUNT:key/ID"),
    "iam": ArnForm(
        "an IAM policy", "iam", r"policy/[\w+=,.@/-]+", "arn:aws:iam::ACCOUNT:policy/NAME", regional=False
    ),
    "secretsmanager": ArnForm(
        "a Secrets Manager secret",
        "secretsmanager",
        r"secret:[A-Za-z0-9/_+=.@-]+(?::[^:\s]*(?::[^:\s]*(?::[^:\s]*)?)?)?",
        "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME",
    ),
    "ssm": ArnForm(
        "an SSM parameter", "ssm", r"parameter/[A-Za-z0-9_./-]+", "arn:aws:ssm:REGION:ACCOUNT:parameter/NAME"
    ),
}
"""ARN forms by service. Source:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
(as of 2026-11)."""


@frozen
class Arn:
    """The ARN of a resource of one service."""

    service: str

    def __call__(self, value: str) -> Iterator[Fault]:
        """Yield a fault if `value` is no such ARN, and say which part is wrong."""
        form = ARN_FORMS[self.service]
        wanted = f"must be the ARN of {form.what}"
        example = f"such as {form.example}"
        parts = value.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not matches(PARTITION, parts[1]):  # noqa: PLR2004 - an ARN
            yield Fault(f"{wanted}, got {show(value)}", example)
            return
        _, _, service, region, account, resource = parts
        if service != form.service:
            yield Fault(f"{wanted}, got one of the service {show(service)}", example)
        elif form.regional != bool(region):
            text = "without a region" if form.regional else f"with the region {show(region)}"
            yield Fault(f"{wanted}, got one {text}", example)
        elif not matches(r"\d{12}" if self.service != "iam" else r"\d{12}|aws", account):
            yield Fault(f"{wanted}, whose account has 12 digits, got {show(account)}", example)
        elif not matches(form.resource, resource):
            yield Fault(f"{wanted}, got the resource {show(resource)}", example)


@frozen
class ResourceId:
    """An EC2 resource id: its prefix and 8 or 17 hexadecimal digits."""

    prefix: str

    def __call__(self, value: str) -> Iterator[Fault]:
        """Yield a fault if `value` is no such id."""
        if not matches(rf"{self.prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})", value):
            yield Fault(
                f"must be {self.prefix}- and 8 or 17 hexadecimal digits, got {show(value)}",
                f'such as "{self.prefix}-0123456789abcdef0"',
            )


def arn_region(arn: str) -> str:
    """The region of an ARN."""
    return arn.split(":")[3]


def arn_partition(arn: str) -> str:
    """The partition of an ARN: aws, aws-cn, aws-us-gov or aws-eusc."""
    return arn.split(":")[1]
