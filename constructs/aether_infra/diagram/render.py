"""From Terraform JSON documents to a picture in some format, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen

from aether_infra.diagram.document import Document
from aether_infra.diagram.html import html
from aether_infra.diagram.mermaid import mermaid
from aether_infra.diagram.read import read
from aether_infra.diagram.sheet import draw
from aether_infra.diagram.svg import svg


class Format(StrEnum):
    """What a picture is written as; also the ending of its file."""

    SVG = "svg"
    HTML = "html"
    MARKDOWN = "md"


@frozen(kw_only=True)
class Picture:
    """A picture, and how much is on it."""

    text: str
    """The file's content."""
    resources: int
    """How many resources it was drawn from."""
    width: int | None
    """In pixels; None where whoever shows it decides."""
    height: int | None
    """As above."""


def render(documents: Mapping[str, Document], form: Format) -> Picture:
    """Draw a deployment.

    Args:
        documents: Terraform JSON by the stack's name, such as `synth.documents` gives for one configuration and one
            cloud: infrastructure, workload, or both.
        form: the format.

    Returns:
        The picture. The same documents always give the same bytes.
    """
    architecture = read(documents)
    built = sum(not resource.is_data for resource in architecture.resources)
    if form is Format.MARKDOWN:
        return Picture(text=mermaid(architecture), resources=built, width=None, height=None)
    scene = draw(architecture)
    text = svg(scene) if form is Format.SVG else html(scene, architecture)
    return Picture(text=text, resources=built, width=scene.width, height=scene.height)
