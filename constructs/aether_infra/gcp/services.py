"""The project's services (APIs), which must be on before anything else can be made."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.project_service import ProjectService
from constructs import Construct


@frozen(kw_only=True)
class ServicesProps:
    """Props of `Services`."""

    project: str
    """The project's id."""
    services: Sequence[str]
    """Services by their short names, such as `compute` for `compute.googleapis.com`."""


class Services(Construct):
    """Services of a project, switched on. They stay on when the stack goes: others may use them by then.

    Source: https://cloud.google.com/service-usage/docs/enable-disable (as of 2026-11).

    Attributes:
        services: each service by its short name: whatever needs the API depends on it.
    """

    def __init__(self, scope: Construct, id_: str, props: ServicesProps) -> None:
        super().__init__(scope, id_)
        self.services = {
            service: ProjectService(
                self,
                service,
                project=props.project,
                service=f"{service}.googleapis.com",
                disable_on_destroy=False,
            )
            for service in sorted(set(props.services))
        }

    def all(self, *names: str) -> list[ITerraformDependable]:
        """Some of the services, for what depends on them.

        Args:
            *names: short names.
        """
        return [self.services[name] for name in names]
