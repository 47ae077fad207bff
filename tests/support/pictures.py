"""What must hold of every picture: each function yields what is wrong, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from aether_infra.config import AetherConfig, Provider
from aether_infra.core.kubernetes import STATEFUL_SET
from aether_infra.core.node import core_ids
from aether_infra.diagram import labels
from aether_infra.diagram.model import NODES, OPERATORS, USERS, Architecture, Kind, Purpose
from aether_infra.diagram.nodes import inner_flows
from aether_infra.diagram.parts import every_part
from aether_infra.diagram.scene import Box, Look, Rect, Scene
from aether_infra.diagram.tracks import between, pieces


def layout(scene: Scene) -> Iterator[str]:
    """Everything has its place, and nothing lies on anything else."""
    yield from scene.faults
    yield from boxes(scene)
    yield from texts(scene)
    yield from words(scene)
    yield from lines(scene)


def boxes(scene: Scene) -> Iterator[str]:
    """Boxes lie within the box that they belong to, and beside each other."""
    sheet = Rect(x=0, y=0, width=scene.width, height=scene.height)
    families: dict[str | None, list[Box]] = {}
    for box in scene.boxes.values():
        families.setdefault(box.parent, []).append(box)
        if not _room(scene, box.parent, sheet).holds(box.rect, 4):
            yield f"{box.key} sticks out of {box.parent or 'the sheet'}"
    for family in families.values():
        for one, other in combinations(family, 2):
            if one.rect.overlaps(other.rect, 4):
                yield f"{one.key} and {other.key} overlap"


def _room(scene: Scene, key: str | None, sheet: Rect) -> Rect:
    return scene.boxes[key].rect if key else sheet


def texts(scene: Scene) -> Iterator[str]:
    """Words and icons lie within their box, clear of other words and of other boxes."""
    for text in scene.texts:
        outer = scene.around(text.box)
        if not scene.boxes[text.box].rect.holds(text.rect, 2):
            yield f"{text.value!r} does not fit {text.box}"
        for box in scene.boxes.values():
            if box.key not in outer and text.rect.overlaps(box.rect):
                yield f"{text.value!r} lies on {box.key}"
    for one, other in combinations(scene.texts, 2):
        if one.rect.overlaps(other.rect):
            yield f"{one.value!r} and {other.value!r} overlap"
    for icon in scene.icons:
        spot = Rect(x=icon.x, y=icon.y, width=16, height=16)
        if not scene.boxes[icon.box].rect.holds(spot, 2):
            yield f"the icon of {icon.box} sticks out"
        if any(text.rect.overlaps(spot) for text in scene.texts):
            yield f"words lie on the icon of {icon.box}"


def words(scene: Scene) -> Iterator[str]:
    """Labels are clear of words and of each other, and never lie across a border."""
    for label in scene.labels:
        if labels.size(label.lines)[0] > label.rect.width:
            yield f"{label.lines} does not fit its label"
        for box in scene.boxes.values():
            inside = box.container and box.rect.holds(label.rect, 1)
            if not inside and box.rect.overlaps(label.rect, 1):
                yield f"the label {label.lines} lies on {box.key}"
        if any(text.rect.overlaps(label.rect) for text in scene.texts):
            yield f"the label {label.lines} lies on words"
    for one, other in combinations(scene.labels, 2):
        if one.rect.overlaps(other.rect):
            yield f"the labels {one.lines} and {other.lines} overlap"


def lines(scene: Scene) -> Iterator[str]:
    """Lines cross neither boxes that they do not lead to, nor words; labels of others neither."""
    for line in scene.lines:
        name = f"the line from {line.flows[0].source} to {line.flows[0].target}"
        ends = _ends(scene, line.points[0]) | _ends(scene, line.points[-1])
        for start, end in pieces(line):
            if start[0] != end[0] and start[1] != end[1]:
                yield f"{name} runs aslant"
            strip = between(start, end)
            for box in scene.boxes.values():
                if box.key not in ends and not box.container and box.rect.overlaps(strip, 1):
                    yield f"{name} crosses {box.key}"
            for text in scene.texts:
                if text.rect.overlaps(strip, 1):
                    yield f"{name} crosses {text.value!r}"
            for label in scene.labels:
                if label.flows != line.flows and label.rect.overlaps(strip):
                    yield f"{name} crosses the label {label.lines}"


def _ends(scene: Scene, point: tuple[int, int]) -> set[str]:
    """Boxes on whose border a line begins or ends."""
    spot = Rect(x=point[0], y=point[1], width=1, height=1)
    return {box.key for box in scene.boxes.values() if box.rect.overlaps(spot, 2)}


def content(scene: Scene, architecture: Architecture) -> Iterator[str]:
    """Every part has a box, every flow a line or words, and every resource a part, a flow or a count."""
    drawn = {box.key for box in scene.boxes.values()}
    for part in every_part(architecture):
        if part.key not in drawn and part.key != NODES:
            yield f"{part.key} is not drawn"
    shown = {id(flow) for line in scene.lines for flow in line.flows}
    shown |= {id(flow) for flow in inner_flows(architecture.flows)}
    for flow in architecture.flows:
        silent = flow.label in {(), ("ICMP",)} or flow.source == flow.target == "manager"
        if id(flow) not in shown and not silent:
            yield f"nothing shows {flow.label} from {flow.source} to {flow.target}"
    for line in scene.lines:
        if not line.knot and any(flow.label for flow in line.flows) and not _labelled(scene, line.flows):
            yield f"no label says what {line.flows[0].source} may call of {line.flows[0].target}"
    counted = {source for part in every_part(architecture) for source in part.sources}
    counted |= {source for flow in architecture.flows for source in flow.sources}
    rest = [source for group in architecture.others for source in group.sources]
    for resource in architecture.resources:
        times = (resource in counted) + rest.count(resource)
        if not resource.is_data and times != 1:
            yield f"{resource.address} is counted {times} times"


def _labelled(scene: Scene, flows: tuple[object, ...]) -> bool:
    said = {word for label in scene.labels for word in label.lines}
    own = [label for label in scene.labels if label.flows == flows]
    return bool(own) or all(word in said for flow in flows for word in getattr(flow, "label", ()))


def nodes(scene: Scene, config: AetherConfig, cloud: Provider) -> Iterator[str]:
    """The voters are those of the configuration, each with its id, and the elastic set has its bounds."""
    counts = config.counts(cloud)
    wanted = set(core_ids(counts.core))
    if config.in_kubernetes(cloud):
        wanted = {f"{STATEFUL_SET}-{index}" for index in range(counts.core)}
    found = {box.part.name for box in scene.boxes.values() if box.look is Look.NODE and box.part}
    if found != wanted:
        yield f"voters {sorted(found)}, wanted {sorted(wanted)}"
    elastic = [box.part.name for box in scene.boxes.values() if box.part and box.part.kind is Kind.ELASTIC]
    most = counts.maximum - counts.core
    if most == 0 and elastic:
        yield f"elastic nodes {elastic}, wanted none"
    if most > 0 and not any(str(most) in name.split() for name in elastic):
        yield f"elastic nodes {elastic}, wanted up to {most}"


def access(architecture: Architecture, config: AetherConfig, cloud: Provider) -> Iterator[str]:
    """Who may call the balancers from outside is who the configuration lets in: nobody else has an arrow."""
    section = config.section(cloud)
    balancers = {balancer.key for balancer in architecture.balancers}
    outside = [
        flow for flow in architecture.flows if flow.source in {USERS, OPERATORS} and flow.target in balancers
    ]
    managing = [flow for flow in outside if flow.purpose is Purpose.MANAGEMENT]
    found = {network for flow in managing for network in flow.networks}
    if found != set(section.management_cidrs):
        yield f"management from {sorted(found)}, wanted {sorted(section.management_cidrs)}"
    using = {network for flow in outside if flow not in managing for network in flow.networks}
    from_outside = config.app_http.published and getattr(section, "service_type", "") != "ClusterIP"
    if using != (set(section.allowed_cidrs) if from_outside else set()):
        yield f"users from {sorted(using)}, wanted {sorted(section.allowed_cidrs)}, published {from_outside}"
    port = str(config.cluster.ports.management)
    for flow in outside:
        said = any(port in line for line in flow.label)
        if said != (flow in managing):
            yield f"{flow.source} may call {flow.label}, for {flow.purpose}"
