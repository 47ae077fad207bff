"""HTTPS in front of the application: a certificate that renews itself, and which versions of TLS are spoken."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_google.compute_managed_ssl_certificate import (
    ComputeManagedSslCertificate,
    ComputeManagedSslCertificateManaged,
)
from cdktf_cdktf_provider_google.compute_ssl_policy import ComputeSslPolicy
from constructs import Construct

from aether_infra.core.names import HASH_LENGTH, physical_name


@frozen(kw_only=True)
class TlsProps:
    """Props of `Tls`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    domain: str | None = None
    """Name to make a certificate for, which Google proves by its DNS record; None with `certificate`."""
    certificate: str | None = None
    """An existing certificate of the project, by name; default: a new one for `domain`."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the service."""


class Tls(Construct):
    """A certificate and a policy of TLS 1.2 and 1.3 for global load balancers.

    A new certificate becomes active when the domain leads to the load balancer, up to an hour later. Another
    domain is another certificate, made before the old one goes.
    Sources: https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs,
    https://cloud.google.com/load-balancing/docs/ssl-policies-concepts (as of 2026-11).

    Attributes:
        certificate: the new certificate; None where it exists already.
        certificate_name: the certificate's name.
        certificate_link: `projects/…/global/sslCertificates/…`.
        policy: the policy.
    """

    def __init__(self, scope: Construct, id_: str, props: TlsProps) -> None:
        super().__init__(scope, id_)
        self.certificate: ComputeManagedSslCertificate | None = None
        self.certificate_name = props.certificate or self._managed(props)
        self.certificate_link: str = (
            self.certificate.id
            if self.certificate
            else f"projects/{props.project}/global/sslCertificates/{self.certificate_name}"
        )
        self.policy = ComputeSslPolicy(
            self,
            "policy",
            project=props.project,
            name=physical_name(props.name, "tls"),
            profile="MODERN",
            min_tls_version="TLS_1_2",
            depends_on=list(props.depends_on),
        )

    def _managed(self, props: TlsProps) -> str:
        if not props.domain:
            raise ValueError("a certificate needs a domain")
        digest = hashlib.sha256(props.domain.encode()).hexdigest()[:HASH_LENGTH]
        self.certificate = ComputeManagedSslCertificate(
            self,
            "Resource",
            project=props.project,
            name=physical_name(props.name, "certificate", digest),
            description=f"Aether cluster {props.name}",
            managed=ComputeManagedSslCertificateManaged(domains=[props.domain]),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            depends_on=list(props.depends_on),
        )
        return self.certificate.name
