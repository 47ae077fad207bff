"""The picture as a page: one file that asks for nothing from elsewhere, with details of every part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

from aether_infra.diagram.concerns import type_words
from aether_infra.diagram.details import arguments
from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import INTERNET, NEIGHBOURS, Architecture, Balancer, Flow
from aether_infra.diagram.parts import every_part
from aether_infra.diagram.scene import Scene
from aether_infra.diagram.svg import style, svg


def html(scene: Scene, architecture: Architecture) -> str:
    """Render a page.

    Args:
        scene: the sheet.
        architecture: what is on it, for the details.

    Returns:
        The document's text: picture, styles, script and data inline.
    """
    page = _asset("page.html")
    parts = {
        "TITLE": escape(scene.title),
        "STYLE": f"{_asset('page.css')}\n{style()}",
        "SCRIPT": _asset("page.js"),
        "DATA": embedded(data(scene, architecture)),
        "PICTURE": svg(scene, inline=True),
    }
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text, 1)
    return page


def _asset(name: str) -> str:
    return files("aether_infra.diagram").joinpath(name).read_text(encoding="utf-8")


def embedded(value: Any) -> str:
    """JSON that can stand within a script element, whatever it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def data(scene: Scene, architecture: Architecture) -> Mapping[str, Any]:
    """What the page tells of each box and each label."""
    numbers = {resource: number for number, resource in enumerate(architecture.resources)}
    names = {part.key: part.name for part in every_part(architecture)}
    names |= {box.key: box.part.name for box in scene.boxes.values() if box.part}
    names |= {"nodes": "Aether nodes", "machines": "Machines", "services": f"{architecture.cloud} services"}
    told = {part.key: part for part in every_part(architecture)}
    boxes = {}
    for box in scene.boxes.values():
        part = told.get(box.key) or box.part
        if part is not None:
            boxes[box.key] = {
                "name": part.name,
                "kind": part.kind.value,
                "facts": [*(part.listeners if isinstance(part, Balancer) else ()), *part.facts],
                "resources": [numbers[source] for source in part.sources],
            }
    return {
        "boxes": boxes,
        "flows": {f"{flow.source}>{flow.target}": _flow(flow, names, numbers) for flow in architecture.flows},
        "resources": [_resource(resource) for resource in architecture.resources],
    }


def _flow(flow: Flow, names: Mapping[str, str], numbers: Mapping[Resource, int]) -> Mapping[str, Any]:
    word = "to" if flow.target in {INTERNET, NEIGHBOURS} or flow.target.startswith("nat") else "from"
    return {
        "name": f"{names.get(flow.source, flow.source)} → {names.get(flow.target, flow.target)}",
        "kind": flow.purpose.value,
        "facts": [*flow.label, *(f"{word} {network}" for network in flow.networks)],
        "resources": [numbers[source] for source in flow.sources],
    }


def _resource(resource: Resource) -> Mapping[str, Any]:
    return {
        "address": resource.address,
        "type": type_words(resource.type),
        "stack": resource.stack,
        "arguments": arguments(resource),
    }
