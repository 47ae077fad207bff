from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from schema_check import problems
from terraform_json import Document

from aether_infra.errors import AetherInfraError

EVERY = Path(__file__).with_name("every.json")

Declare = Callable[[Callable[[Any], Any]], Document]


def minimal(every: ModuleType, scope: Any, id_: str = "widget", **more: Any) -> Any:
    widget = every.widget
    arguments = {
        "name": "x",
        "disk": widget.WidgetDisk(gib=1),
        "pieces": [widget.WidgetPieces(color="red")],
        "port": [widget.WidgetPort(number=80)],
    }
    return every.Widget(scope, id_, **(arguments | more))


def test_every_kind_of_argument(every: ModuleType, declare: Declare) -> None:
    from every_bindings import widget

    def everything(stack: Any) -> None:
        every.Widget(
            stack,
            "widget",
            name="x",
            size=1.5,
            enabled=False,
            names=("a", "b"),
            zones=["z"],
            ports=[1, 2],
            port_set=[3],
            flags=[True, False],
            tags={"b": "2", "a": "1"},
            limits={"a": 0},
            switches={"on": True},
            groups={"g": ("a", "b")},
            matrix=[[1, 2], [3]],
            any={"deep": [{"er": 1}], "t": (True,)},
            password="secret",  # noqa: S106
            token="once",  # noqa: S106
            old="o",
            from_="f",
            node_="n",
            alias="a",
            field="i",
            two_words="w",
            rules=[widget.WidgetRules(port=1, cidrs=["0.0.0.0/0"])],
            settings=widget.WidgetSettings(mode="m"),
            parts={"left": widget.WidgetParts(weight=1)},
            pieces=[widget.WidgetPieces(color="red"), widget.WidgetPieces(color="blue")],
            timeouts=widget.WidgetTimeouts(create="5m"),
            cover=widget.WidgetCover(color="red"),
            disk=widget.WidgetDisk(
                gib=1,
                field="f",
                key="k",
                part=[widget.WidgetDiskPart(type="a"), widget.WidgetDiskPart(type="b")],
            ),
            port=[widget.WidgetPort(number=80)],
            zone={"a": widget.WidgetZone(weight=1), "b": widget.WidgetZone()},
        )

    document = declare(everything)
    assert document["resource"] == {
        "every_widget": {
            "widget": {
                "alias": "a",
                "any": {"deep": [{"er": 1}], "t": [True]},
                "cover": {"color": "red"},
                "disk": {"field": "f", "gib": 1, "key": "k", "part": [{"type": "a"}, {"type": "b"}]},
                "enabled": False,
                "field": "i",
                "flags": [True, False],
                "from": "f",
                "groups": {"g": ["a", "b"]},
                "limits": {"a": 0},
                "matrix": [[1, 2], [3]],
                "name": "x",
                "names": ["a", "b"],
                "node": "n",
                "old": "o",
                "parts": {"left": {"weight": 1}},
                "password": "secret",
                "pieces": [{"color": "red"}, {"color": "blue"}],
                "port": [{"number": 80}],
                "port_set": [3],
                "ports": [1, 2],
                "rules": [{"cidrs": ["0.0.0.0/0"], "note": None, "port": 1}],
                "settings": {"mode": "m"},
                "size": 1.5,
                "switches": {"on": True},
                "tags": {"a": "1", "b": "2"},
                "timeouts": {"create": "5m"},
                "token": "once",
                "two-words": "w",
                "zone": {"a": {"weight": 1}, "b": {}},
                "zones": ["z"],
            }
        }
    }
    assert document["terraform"]["required_providers"] == {
        "every": {"source": "example/every", "version": "~> 1.0"}
    }
    assert problems(document, EVERY) == []


def test_every_kind_of_reference(every: ModuleType, declare: Declare) -> None:
    from cdktf import Token

    read: dict[str, Callable[[Any], Any]] = {
        "id": lambda one: one.id,
        "weight": lambda one: one.weight,
        "is_ready": lambda one: one.is_ready,
        "names": lambda one: one.names,
        "zones": lambda one: one.zones,
        "ports": lambda one: one.ports,
        "port_set": lambda one: one.port_set,
        "tags": lambda one: one.tags,
        "tag": lambda one: one.tags.lookup("Team"),
        "limit": lambda one: one.limits.lookup("cpu"),
        "switch": lambda one: one.switches.lookup("on"),
        "group": lambda one: one.groups.get("g"),
        "matrix": lambda one: one.matrix,
        "any": lambda one: one.any,
        "from": lambda one: one.from_,
        "two_words": lambda one: one.two_words,
        "endpoints": lambda one: one.endpoints,
        "endpoint": lambda one: one.endpoints.get(1),
        "host": lambda one: one.endpoints.get(0).host,
        "endpoint_port": lambda one: one.endpoints.get(0).ports.get(2).number,
        "by_zone": lambda one: one.by_zone.get("a").host,
        "settings": lambda one: one.settings.state,
        "part": lambda one: one.parts.get("left").weight,
        "piece": lambda one: one.pieces.get(0).color,
        "timeout": lambda one: one.timeouts.create,
        "disk": lambda one: one.disk.used,
        "disk_part": lambda one: one.disk.part.get(0).type,
        "port": lambda one: one.port.get(0).number,
        "zone": lambda one: one.zone.get("a").weight,
        "status": lambda one: one.status.text,
        "data": lambda one: every.DataEveryWidget(one.node.scope, "source", name="x").zones.get(0).name,
    }

    def refer(stack: Any) -> None:
        from cdktf import TerraformOutput

        one = minimal(every, stack)
        for name, of in read.items():
            value = of(one)
            TerraformOutput(stack, name, value=value)
        assert Token.is_unresolved(one.id)
        assert isinstance(one.weight, float)
        assert isinstance(one.names, list)

    document = declare(refer)
    found = {name: output["value"] for name, output in document["output"].items()}
    widget = "every_widget.widget"
    assert found == {
        "any": f"${{{widget}.any}}",
        "by_zone": f'${{{widget}.by_zone["a"].host}}',
        "data": "${tolist(data.every_widget.source.zones).0.name}",
        "disk": f"${{{widget}.disk[0].used}}",
        "disk_part": f"${{{widget}.disk[0].part[0].type}}",
        "endpoint": f"${{{widget}.endpoints[1]}}",
        "endpoint_port": f"${{tolist({widget}.endpoints[0].ports).2.number}}",
        "endpoints": f"${{{widget}.endpoints}}",
        "from": f"${{{widget}.from}}",
        "group": f'${{{widget}.groups["g"]}}',
        "host": f"${{{widget}.endpoints[0].host}}",
        "id": f"${{{widget}.id}}",
        "is_ready": f"${{{widget}.is_ready}}",
        "limit": f'${{{widget}.limits["cpu"]}}',
        "matrix": f"${{{widget}.matrix}}",
        "names": f"${{{widget}.names}}",
        "part": f'${{{widget}.parts["left"].weight}}',
        "piece": f"${{tolist({widget}.pieces).0.color}}",
        "port": f"${{tolist({widget}.port).0.number}}",
        "port_set": f"${{tolist({widget}.port_set)}}",
        "ports": f"${{{widget}.ports}}",
        "settings": f"${{{widget}.settings.state}}",
        "status": f"${{{widget}.status[0].text}}",
        "switch": f'${{{widget}.switches["on"]}}',
        "tag": f'${{{widget}.tags["Team"]}}',
        "tags": f"${{{widget}.tags}}",
        "timeout": f"${{{widget}.timeouts.create}}",
        "two_words": f"${{{widget}.two-words}}",
        "weight": f"${{{widget}.weight}}",
        "zone": f'${{{widget}.zone["a"].weight}}',
        "zones": f"${{tolist({widget}.zones)}}",
    }
    assert problems(document, EVERY) == []


def test_references_as_arguments(every: ModuleType, declare: Declare) -> None:
    from cdktf import Fn

    def chain(stack: Any) -> None:
        one = minimal(every, stack, "one")
        minimal(
            every,
            stack,
            "two",
            name=f"after-{one.id}",
            size=one.weight,
            enabled=one.is_ready,
            names=one.zones,
            ports=one.ports,
            tags=one.tags,
            limits={"a": one.weight},
            flags=[one.is_ready],
            zones=[one.id, Fn.upper(one.name)],
            any={"x": [one.id]},
            settings=every.widget.WidgetSettings(mode=one.settings.state, level=one.weight),
            rules=[every.widget.WidgetRules(port=one.weight, cidrs=one.names)],
            zone={"a": every.widget.WidgetZone(weight=one.weight)},
        )

    two = declare(chain)["resource"]["every_widget"]["two"]
    one = "every_widget.one"
    assert two == {
        "any": {"x": [f"${{{one}.id}}"]},
        "disk": {"gib": 1},
        "enabled": f"${{{one}.is_ready}}",
        "flags": [f"${{{one}.is_ready}}"],
        "limits": {"a": f"${{{one}.weight}}"},
        "name": f"after-${{{one}.id}}",
        "names": f"${{tolist({one}.zones)}}",
        "pieces": [{"color": "red"}],
        "port": [{"number": 80}],
        "ports": f"${{{one}.ports}}",
        "rules": [{"cidrs": f"${{{one}.names}}", "note": None, "port": f"${{{one}.weight}}"}],
        "settings": {"level": f"${{{one}.weight}}", "mode": f"${{{one}.settings.state}}"},
        "size": f"${{{one}.weight}}",
        "tags": f"${{{one}.tags}}",
        "zone": {"a": {"weight": f"${{{one}.weight}}"}},
        "zones": [f"${{{one}.id}}", f"${{upper({one}.name)}}"],
    }


def test_terraforms_own_arguments(every: ModuleType, declare: Declare) -> None:
    from cdktf import (
        LocalExecProvisioner,
        SSHProvisionerConnection,
        TerraformIterator,
        TerraformResourceLifecycle,
    )

    def meta(stack: Any) -> None:
        provider = every.EveryProvider(stack, "other", region="there", alias="other")
        minimal(every, stack, "many", count=2)
        one = minimal(
            every,
            stack,
            "one",
            provider=provider,
            lifecycle=TerraformResourceLifecycle(ignore_changes="all", prevent_destroy=True),
            provisioners=[LocalExecProvisioner(type="local-exec", command="true")],
            connection=SSHProvisionerConnection(type="ssh", host="h"),
        )
        each = TerraformIterator.from_list(["a", "b"])
        named = minimal(every, stack, "each", for_each=each, name=each.value, depends_on=[one])
        every.DataEveryWidget(stack, "data", name=named.name, provider=provider, depends_on=[named])
        again = TerraformIterator.from_resources(named)
        minimal(every, stack, "again", for_each=again, name=again.get_string("name"))

    document = declare(meta)
    widgets = document["resource"]["every_widget"]
    own = {"name", "disk", "pieces", "port"}
    assert {name: {k: v for k, v in each.items() if k not in own} for name, each in widgets.items()} == {
        "again": {"for_each": "${every_widget.each}"},
        "each": {"depends_on": ["every_widget.one"], "for_each": '${toset(["a", "b"])}'},
        "many": {"count": 2},
        "one": {
            "connection": {"host": "h", "type": "ssh"},
            "lifecycle": {"ignore_changes": "all", "prevent_destroy": True},
            "provider": "every.other",
            "provisioner": [{"local-exec": {"command": "true"}}],
        },
    }
    assert widgets["each"]["name"] == "${each.value}"
    assert widgets["again"]["name"] == "${each.value.name}"
    assert document["data"]["every_widget"]["data"] == {
        "depends_on": ["every_widget.each"],
        "name": "${every_widget.each.*.name}",
        "provider": "every.other",
    }
    assert document["provider"]["every"] == [{"region": "here"}, {"alias": "other", "region": "there"}]


def test_a_providers_maps_keep_their_keys(every: ModuleType, declare: Declare) -> None:
    def configure(stack: Any) -> None:
        login = every.provider.EveryProviderLogin(command="c", variables={"AWS_PROFILE": "x"})
        every.EveryProvider(
            stack,
            "p",
            alias="p",
            region="r",
            environment={"HomeDir": "/"},
            labels={"kebab-case": "y"},
            login=login,
        )

    assert declare(configure)["provider"]["every"][1] == {
        "alias": "p",
        "environment": {"HomeDir": "/"},
        "labels": {"kebab-case": "y"},
        "login": {"command": "c", "variables": {"AWS_PROFILE": "x"}},
        "region": "r",
    }


def test_a_token_in_place_of_blocks_becomes_dynamic_blocks(every: ModuleType, declare: Declare) -> None:
    from cdktf import TerraformIterator, TerraformVariable

    def dynamic(stack: Any) -> None:
        each = TerraformIterator.from_list(["80", "443"])
        lids = TerraformVariable(stack, "lids", type="list(any)")
        minimal(every, stack, port=each.dynamic({"number": each.value}), lid=lids.list_value)

    document = declare(dynamic)
    assert document["resource"]["every_widget"]["widget"]["dynamic"] == {
        "lid": {
            "content": {
                "dynamic": {
                    "part": {
                        "content": {"type": "${try(part.value.type, null)}"},
                        "for_each": "${[for item in flatten([try(lid.value.part, [])]) : item if item != null]}",
                    }
                },
                "gib": "${try(lid.value.gib, null)}",
            },
            "for_each": "${flatten([var.lids])}",
        },
        "port": {
            "content": {"number": "${try(port.value.number, null)}"},
            "for_each": '${flatten([[ for key, val in toset(["80", "443"]): {"number" = val}]])}',
        },
    }
    assert problems(document, EVERY) == []


def test_arguments_can_be_changed(every: ModuleType, declare: Declare) -> None:
    from aether_infra.cdk.generated import ArgumentError

    def change(stack: Any) -> None:
        widget = minimal(every, stack, tags={"a": "1"}, size=1)
        widget.name = "y"
        widget.tags = {**widget.tf_arguments["tags"], "b": "2"}
        widget.size = None
        with pytest.raises(ArgumentError):
            widget.name = 5
        with pytest.raises(AttributeError, match="host can only be read here"):
            widget.endpoints.get(0).host = "x"
        widget.add_override("extra", "z")

    widget = declare(change)["resource"]["every_widget"]["widget"]
    assert widget["name"] == "y"
    assert widget["tags"] == {"a": "1", "b": "2"}
    assert widget["extra"] == "z"
    assert "size" not in widget


def test_imports_and_moves(every: ModuleType, declare: Declare) -> None:
    def adopt(stack: Any) -> None:
        provider = every.EveryProvider(stack, "other", region="there", alias="other")
        minimal(every, stack).import_from("id-1", provider)
        every.Widget.generate_config_for_import(stack, "new", "id-2")

    document = declare(adopt)
    assert document["import"] == [
        {"id": "id-1", "provider": "every.other", "to": "every_widget.widget"},
        {"id": "id-2", "to": "every_widget.new"},
    ]


def test_another_stack_reads_it_from_the_state(every: ModuleType, tmp_path: Path) -> None:
    from cdktf import App, TerraformStack

    app = App(outdir=str(tmp_path))
    first, second = (TerraformStack(app, name) for name in ("first", "second"))
    for stack in (first, second):
        every.EveryProvider(stack, "every", region="here")
    one = minimal(every, first)
    minimal(every, second, name=one.id, any=[one.endpoints.get(0).host])
    app.synth()
    document = json.loads((tmp_path / "stacks/second/cdk.tf.json").read_text(encoding="utf-8"))
    widget = document["resource"]["every_widget"]["widget"]
    outputs = "data.terraform_remote_state.cross-stack-reference-input-first.outputs"
    state = f"{outputs}.cross-stack-output-every_widgetwidget"
    assert widget["name"] == f"${{{state}id}}"
    assert widget["any"] == [f"${{{state}endpoints0host}}"]


def test_hcl_tells_blocks_from_values(every: ModuleType) -> None:
    from cdktf import TerraformStack, TerraformVariable, Testing

    stack = TerraformStack(Testing.app(), "stack")
    every.EveryProvider(stack, "every", region="here", environment={"HomeDir": "/"})
    lids = TerraformVariable(stack, "lids", type="list(any)")
    minimal(
        every,
        stack,
        rules=[every.widget.WidgetRules(port=1)],
        settings=every.widget.WidgetSettings(mode="m"),
        zone={"a": every.widget.WidgetZone(weight=1)},
        tags={"a": "b"},
        ports=[1],
        enabled=True,
        matrix=[[1]],
        lid=lids.list_value,
    )
    resource = Testing.synth_hcl(stack).partition('resource "every_widget"')[2]
    lines = [line.strip() for line in resource.splitlines()[1:] if line.strip()]
    assert " ".join(lines[: lines.index('dynamic "lid" {')]) == (
        'disk { gib = 1 } enabled = true matrix = [ [ 1, ], ] name = "x" pieces = [ { color = "red" }, ] '
        'port { number = 80 } ports = [ 1 ] rules = [ { cidrs = "${null}" note = "${null}" port = 1 }, ] '
        'settings = { mode = "m" } tags = { a = "b" } zone "a" { weight = 1 }'
    )


def test_all_that_is_wrong_is_said_at_once(every: ModuleType, declare: Declare) -> None:
    from every_bindings import widget

    from aether_infra.cdk.generated import ArgumentError

    def wrong(stack: Any) -> None:
        every.Widget(
            stack,
            "w",
            nam="x",
            size="large",
            enabled=1,
            names="a",
            ports=[1, "two"],
            tags={"a": 1, "b": None},
            groups={"g": "a"},
            password=5,
            weight=1,
            settings={"mode": "m"},
            pieces=widget.WidgetPieces(color="red"),
            disk=[widget.WidgetDisk(gib=1)],
            port=[widget.WidgetPort(number=number) for number in range(4)],
            zone=["a"],
            count=1,
            for_each=object(),
            **{"from": "x"},
        )

    with pytest.raises(ArgumentError) as caught:
        declare(wrong)
    assert str(caught.value).splitlines() == [
        'Widget "w": 18 problems',
        "  disk: must be WidgetDisk, got a list",
        "  enabled: must be True or False, got 1",
        '  from: there is no such argument (it is called "from_" here)',
        '  groups.g: must be a sequence of text, got "a" (one alone goes in [ ])',
        '  nam: there is no such argument (did you mean "name"?)',
        "  name: is required: text",
        '  names: must be a sequence of text, got "a" (one alone goes in [ ])',
        "  password: must be text, got something else, which is not shown as it may be a secret",
        "  pieces: must be a sequence of WidgetPieces, got WidgetPieces (one alone goes in [ ])",
        "  port: must have 1 to 3 items, got 4",
        '  ports[1]: must be a number, got "two"',
        "  settings: must be WidgetSettings, got a table (write WidgetSettings(…))",
        '  size: must be a number, got "large"',
        '  tags.a: must be text, got 1 (write "1")',
        "  tags.b: must be text, got None",
        "  weight: is known to the provider only and cannot be given",
        "  zone: must be a mapping of text to WidgetParts, got a list",
        "  count: cannot stand beside for_each",
    ]
    assert isinstance(caught.value, AetherInfraError)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    ("name", "arguments", "lines"),
    [
        ("WidgetPort", {}, ["number: is required: a number"]),
        ("WidgetPort", {"number": float("inf")}, ["number: must be a number, got inf"]),
        ("WidgetPort", {"number": True}, ["number: must be a number, got true"]),
        (
            "WidgetDisk",
            {"used": 1, "gibs": 1, "part": [{"type": "a"}], "key": 5},
            [
                "gib: is required: a number",
                'gibs: there is no such argument (did you mean "gib"?)',
                "key: must be text, got something else, which is not shown as it may be a secret",
                "part[0]: must be WidgetDiskPart, got a table (write WidgetDiskPart(…))",
                "used: is known to the provider only and cannot be given",
            ],
        ),
    ],
)
def test_a_block_is_checked_when_it_is_made(
    every: ModuleType, name: str, arguments: dict[str, Any], lines: list[str]
) -> None:
    from aether_infra.cdk.generated import ArgumentError

    with pytest.raises(ArgumentError) as caught:
        getattr(every.widget, name)(**arguments)
    plural = "" if len(lines) == 1 else "s"
    assert str(caught.value) == "\n  ".join([f"{name}: {len(lines)} problem{plural}", *lines])


def test_too_few_blocks_and_a_token_for_labelled_ones(every: ModuleType, declare: Declare) -> None:
    from aether_infra.cdk.generated import ArgumentError

    with pytest.raises(ArgumentError) as caught:
        declare(lambda stack: minimal(every, stack, port=[], zone="${var.zones}"))
    assert [str(problem) for problem in caught.value.problems] == [
        "port: must have 1 to 3 items, got 0",
        "zone: must be a mapping of blocks, a token cannot stand for it",
    ]


def test_secrets_are_marked_and_never_shown(every: ModuleType, declare: Declare) -> None:
    disk = every.widget.WidgetDisk(gib=1, key="hush")
    assert repr(disk) == "WidgetDisk(gib=1, field=None, part=None)"
    assert {"password", "token"} == every.Widget.SENSITIVE
    assert every.widget.WidgetDisk.SENSITIVE == every.widget.WidgetDiskOutputReference.SENSITIVE == {"key"}
    assert {"secret_key"} == every.EveryProvider.SENSITIVE

    def look(stack: Any) -> None:
        widget = minimal(every, stack, password="hush", token="hush", disk=disk)  # noqa: S106
        assert "hush" not in repr(widget)
        with pytest.raises(AttributeError, match="write-only"):
            _ = widget.token

    assert declare(look)["resource"]["every_widget"]["widget"]["disk"]["key"] == "hush"


def test_a_class_of_ones_own_may_have_other_arguments(every: ModuleType, declare: Declare) -> None:
    def own(stack: Any) -> None:
        class Small(every.Widget):  # type: ignore[misc,name-defined]
            def __init__(self, scope: Any, id_: str, color: str) -> None:
                widget = every.widget
                pieces, port = [widget.WidgetPieces(color=color)], [widget.WidgetPort(number=1)]
                super().__init__(
                    scope, id_, name=id_, disk=widget.WidgetDisk(gib=1), pieces=pieces, port=port
                )

        Small(stack, "small", "red")

    assert declare(own)["resource"]["every_widget"]["small"]["pieces"] == [{"color": "red"}]
