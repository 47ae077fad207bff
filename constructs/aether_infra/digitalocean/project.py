"""The project: what groups the resources in DigitalOcean's console and on its bills."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf_cdktf_provider_digitalocean.project import Project as ProjectResource
from cdktf_cdktf_provider_digitalocean.project_resources import ProjectResources
from constructs import Construct

from aether_infra.core.names import physical_name


@frozen(kw_only=True)
class ProjectProps:
    """Props of `Project`."""

    name: str
    """Cluster's name."""
    project_id: str | None = None
    """An existing project; default: a new one."""


class Project(Construct):
    """A project, new or existing.

    Attributes:
        project_id: its id.
    """

    def __init__(self, scope: Construct, id_: str, props: ProjectProps) -> None:
        super().__init__(scope, id_)
        self.project_id: str = (
            props.project_id
            or ProjectResource(
                self,
                "Resource",
                name=physical_name(props.name, "project"),
                description=f"Aether cluster {props.name}",
                purpose="Service or API",
            ).id
        )

    def adopt(self, urns: Sequence[str]) -> None:
        """Group resources here. Called once, with all of them.

        Args:
            urns: their uniform resource names.
        """
        ProjectResources(self, "members", project=self.project_id, resources=list(urns))
