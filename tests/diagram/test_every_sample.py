"""Every sample has a picture that a person could put on a wall."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pictures import access, content, layout, nodes
from terraform_json import CONFIGS, case

from aether_infra.config import Provider, load
from aether_infra.diagram.html import html
from aether_infra.diagram.mermaid import mermaid
from aether_infra.diagram.read import read
from aether_infra.diagram.sheet import draw
from aether_infra.diagram.svg import svg

Documents = Callable[..., dict[str, Any]]
SAMPLES = [
    pytest.param(path, cloud, id=f"{case(path)}-{cloud}")
    for path in CONFIGS
    for cloud in Provider
    if cloud.value in tomllib.loads(path.read_text(encoding="utf-8"))["cloud"]
]
WIDEST, HIGHEST = 2_100, 1_800
"""Pixels of the largest picture: on A3 its smallest words are still two millimetres high."""


@pytest.mark.parametrize(("path", "cloud"), SAMPLES)
def test_a_picture(documents: Documents, path: Path, cloud: Provider) -> None:
    found = documents(path, cloud.value)
    architecture = read(found)
    scene = draw(architecture)
    config = load(path)
    wrong = [
        *layout(scene),
        *content(scene, architecture),
        *nodes(scene, config, cloud),
        *access(architecture, config, cloud),
    ]
    assert wrong == []
    assert (scene.width, scene.height) <= (WIDEST, HIGHEST)
    picture = svg(scene)
    assert svg(draw(read(found))) == picture, "the same documents give the same bytes"
    well_formed(picture)
    page = html(scene, architecture)
    assert requests(page) == []
    balanced(mermaid(architecture))


def well_formed(text: str) -> None:
    root = ET.fromstring(text)  # noqa: S314 - our own text
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.get("role") == "img"
    first, second = root[0], root[1]
    assert first.tag == f"{space}title"
    assert second.tag == f"{space}desc"
    assert root.get("aria-labelledby") == f"{first.get('id')} {second.get('id')}"
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    used = {each.get("href", "").removeprefix("#") for each in root.iter(f"{space}use")}
    assert used <= set(ids)


class Page(HTMLParser):
    """Collects what a page would ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.style = tag == "style"
        for name, value in attrs:
            inner = (value or "").startswith("#")
            if name in {"src", "href", "srcset", "data", "action", "xlink:href"} and not inner:
                self.asked.append(f"{tag} {name}={value}")
            if tag == "link":
                self.asked.append("a link")

    def handle_data(self, data: str) -> None:
        if self.style:
            self.asked += re.findall(r"url\((?!#)[^)]*\)|@import[^;]*", data)


def requests(page: str) -> list[str]:
    """What a page would ask for from elsewhere."""
    parser = Page()
    parser.feed(page)
    return parser.asked


def balanced(text: str) -> None:
    """A flowchart in which every box ends, every label is quoted, and every arrow joins what there is."""
    chart = re.search(r"```mermaid\nflowchart TB\n(.*?)```", text, re.DOTALL)
    assert chart
    depth, known, arrows = 0, set(), 0
    lines = chart[1].splitlines()
    for line in lines:
        stripped = line.strip()
        if stripped == "end":
            depth -= 1
        elif box := re.fullmatch(r'subgraph (p_\w+)\["[^"<>`]*"\]', stripped):
            depth += 1
            known.add(box[1])
        elif node := re.fullmatch(r'(p_\w+)(?:\["(.*)"\]|\(\["(.*)"\]\))', stripped):
            label = (node[2] or node[3]).replace("<br/>", "")
            assert not set('"<>`|\\') & set(label), stripped
            assert node[1] not in known, stripped
            known.add(node[1])
        assert depth >= 0
    for line in lines:
        if arrow := re.fullmatch(r'(p_\w+) (?:-->|==>|-\.->)(?:\|"[^"]*"\|)? (p_\w+)', line.strip()):
            assert {arrow[1], arrow[2]} <= known, line
            arrows += 1
    styled = [int(number) for number in re.findall(r"linkStyle (\d+) ", chart[1])]
    assert depth == 0
    assert styled == list(range(arrows))


def test_the_samples_have_every_cloud_and_kind_of_compute(documents: Documents) -> None:
    pictures = [read(documents(*each.values)) for each in SAMPLES]
    drawn = {(picture.cloud, picture.summary[0]) for picture in pictures}
    assert drawn == {
        ("AWS", "EC2"),
        ("AWS", "EKS"),
        ("AWS", "Fargate"),
        ("Azure", "AKS"),
        ("Azure", "virtual machines"),
        ("DigitalOcean", "DOKS"),
        ("DigitalOcean", "droplets"),
        ("Google Cloud", "Compute Engine"),
        ("Google Cloud", "GKE"),
        ("Kubernetes", "a cluster that exists"),
        ("Oracle Cloud", "OKE"),
        ("Oracle Cloud", "virtual machines"),
    }
