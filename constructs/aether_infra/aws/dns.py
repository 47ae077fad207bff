"""DNS and certificate: a Route 53 alias for the domain, and an ACM certificate proved through DNS."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate
from cdktf_cdktf_provider_aws.acm_certificate_validation import AcmCertificateValidation
from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone
from cdktf_cdktf_provider_aws.route53_record import Route53Record, Route53RecordAlias
from constructs import Construct


def parent_zone(domain: str) -> str:
    """The zone that a domain is looked for in when none is named: all but its first label.

    A domain of two labels is a zone itself.
    """
    labels = domain.rstrip(".").split(".")
    return ".".join(labels if len(labels) <= 2 else labels[1:])  # noqa: PLR2004


class HostedZone(Construct):
    """A public hosted zone that exists: by id, or looked up by name at plan time.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        domain: the domain that gets a record.
        zone_id: the zone's id; default: the zone named like the domain's parent is looked up.

    Attributes:
        zone_id: the id, or a token for it.
    """

    def __init__(self, scope: Construct, id_: str, *, domain: str, zone_id: str | None = None) -> None:
        super().__init__(scope, id_)
        self.zone_id: str = (
            zone_id
            or DataAwsRoute53Zone(self, "Resource", name=parent_zone(domain), private_zone=False).zone_id
        )


@frozen(kw_only=True)
class CertificateProps:
    """Props of `Certificate`."""

    domain: str
    """The name to prove."""
    hosted_zone_id: str
    """Zone that the proof is written to."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the certificate."""


class Certificate(Construct):
    """An ACM certificate that proves itself, and renews itself, through a record in the zone.

    Source: https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html (as of 2026-11).

    Attributes:
        certificate: the certificate.
        certificate_arn: its ARN, known only when it is valid: what depends on it waits.
    """

    def __init__(self, scope: Construct, id_: str, props: CertificateProps) -> None:
        super().__init__(scope, id_)
        self.certificate = AcmCertificate(
            self,
            "Resource",
            domain_name=props.domain,
            validation_method="DNS",
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            tags=dict(props.tags),
        )
        # one name, so one record: no for_each over values that are known only after apply
        option = f"one({self.certificate.fqn}.domain_validation_options)"
        record = Route53Record(
            self,
            "proof",
            zone_id=props.hosted_zone_id,
            name=f"${{{option}.resource_record_name}}",
            type=f"${{{option}.resource_record_type}}",
            records=[f"${{{option}.resource_record_value}}"],
            ttl=60,
            allow_overwrite=True,
        )
        self.certificate_arn: str = AcmCertificateValidation(
            self,
            "validation",
            certificate_arn=self.certificate.arn,
            validation_record_fqdns=[record.fqdn],
        ).certificate_arn


@frozen(kw_only=True)
class AliasRecordProps:
    """Props of `AliasRecord`."""

    domain: str
    """The name users call."""
    hosted_zone_id: str
    """Zone that holds it."""
    target_dns_name: str
    """The load balancer's own name."""
    target_zone_id: str
    """The load balancer's own zone."""


class AliasRecord(Construct):
    """A Route 53 alias: free of charge, works at a zone's apex, follows the load balancer's addresses.

    Attributes:
        record: the record.
    """

    def __init__(self, scope: Construct, id_: str, props: AliasRecordProps) -> None:
        super().__init__(scope, id_)
        self.record = Route53Record(
            self,
            "Resource",
            zone_id=props.hosted_zone_id,
            name=props.domain,
            type="A",
            alias=Route53RecordAlias(
                name=props.target_dns_name,
                zone_id=props.target_zone_id,
                evaluate_target_health=True,
            ),
        )
