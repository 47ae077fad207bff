from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from terraform_json import ROOT

from aether_infra.bindgen.__main__ import main
from aether_infra.bindgen.document import SchemaError, choose, read
from aether_infra.bindgen.names import RESERVED, camel_case, python_names
from aether_infra.bindgen.package import generate

EVERY = Path(__file__).with_name("every.json")
OCI = ROOT / "tools/schemas/oci-8.28.0.json"
LOST = ROOT / "tools/schemas/oci-8.28.0.additions.json"
ORACLE = ROOT / "constructs/aether_infra/oracle/bindings"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def shuffled(value: Any, randomly: random.Random) -> Any:
    if isinstance(value, dict):
        keys = sorted(value)
        randomly.shuffle(keys)
        return {key: shuffled(value[key], randomly) for key in keys}
    return [shuffled(item, randomly) for item in value] if isinstance(value, list) else value


def test_the_oracle_bindings_are_what_the_generator_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(OCI, LOST, "--provider", "oracle/oci", "--out", ORACLE, "--check") == 0, (
        capsys.readouterr().out
    )


def attributes(block: dict[str, Any], path: str) -> Iterator[str]:
    """The path to every attribute of a block, at any depth."""
    for name in block.get("attributes", {}):
        yield f"{path}.{name}"
    for name, inner in block.get("block_types", {}).items():
        yield from attributes(inner["block"], f"{path}.{name}")


def test_only_what_the_document_lost_is_added_to_it() -> None:
    """Whoever cut it took every key called `description` or `version`, attributes of that name as well."""
    given, added = (
        {
            path
            for provider in json.loads(file.read_text(encoding="utf-8"))["provider_schemas"].values()
            for section in ("resource_schemas", "data_source_schemas")
            for kind, schema in provider[section].items()
            for path in attributes(schema["block"], kind)
        }
        for file in (OCI, LOST)
    )
    assert "oci_identity_policy.description" in added
    lost = {path for path in added if path.rpartition(".")[2] in {"description", "version"}}
    assert not lost & given
    # of these, objects in a list got another field
    assert added - lost == {"oci_core_services.services", "oci_dns_zones.zones"}
    assert added - lost < given


def test_check_finds_a_changed_a_missing_and_a_superfluous_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [EVERY, "--provider", "example/every", "--out", tmp_path]
    assert run(*options) == 0
    widget = (tmp_path / "widget.py").read_text(encoding="utf-8")
    (tmp_path / "widget.py").write_text(f"{widget}# changed\n", encoding="utf-8")
    (tmp_path / "old.py").write_text(widget, encoding="utf-8")
    (tmp_path / "empty.py").unlink()
    capsys.readouterr()
    assert run(*options, "--check") == 1
    assert capsys.readouterr().out.splitlines()[:4] == [
        f"{tmp_path}: 5 files, 3 would change",
        "  empty.py",
        "  old.py",
        "  widget.py",
    ]
    assert run(*options) == 0
    assert run(*options, "--check") == 0
    assert not (tmp_path / "old.py").exists()


def test_a_file_that_was_not_generated_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "widget.py").write_text("mine = True\n", encoding="utf-8")
    assert run(EVERY, "--provider", "example/every", "--out", tmp_path) == 2
    assert capsys.readouterr().err == f"{tmp_path} holds files that were not generated: widget.py\n"
    assert [path.name for path in tmp_path.iterdir()] == ["widget.py"]


@pytest.mark.parametrize("path", [EVERY, OCI], ids=lambda path: path.stem)
def test_any_order_of_keys_gives_the_same_bytes(path: Path) -> None:
    source = "example/every" if path == EVERY else "oracle/oci"
    text = path.read_text(encoding="utf-8")
    other = json.dumps(shuffled(json.loads(text), random.Random(4)))  # noqa: S311  no secret
    assert other != json.dumps(json.loads(text))
    one, two = read(text, source), read(other, source)
    assert generate(one, one.entities, "1") == generate(two, two.entities, "1")


def test_what_cdktf_does_not_know_is_left_out_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(EVERY, "--provider", "example/every", "--out", tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}: 5 files, 5 changed",
        "left out: 1 of ephemeral resource schemas, which CDKTF does not know",
        "left out: 1 of functions, which CDKTF does not know",
    ]
    names = ["__init__.py", "data_every_widget.py", "empty.py", "provider.py", "widget.py"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["oci_core_vcn"], ["core_vcn"]),
        (["data.oci_core_vcn"], ["data_oci_core_vcn"]),
        (["oci_core_images"], ["data_oci_core_images"]),
        (
            ["oci_dns_*", "*_tenancy"],
            ["data_oci_identity_tenancy", "dns_resolver", "dns_rrset", "dns_view", "dns_zone"],
        ),
        (["data.oci_dns*"], ["data_oci_dns_zones"]),
    ],
)
def test_only_what_is_wanted(patterns: list[str], expected: list[str]) -> None:
    provider = read(OCI.read_text(encoding="utf-8"))
    files = generate(provider, choose(provider, patterns))
    assert sorted(files.keys() - {"__init__.py", "provider.py"}) == [f"{name}.py" for name in expected]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([EVERY], "name one of the document's providers: example/every, other/thing"),
        ([EVERY, "--provider", "a/b"], "the document has no provider a/b, but example/every, other/thing"),
        (
            [EVERY, "--provider", "example/every", "--only", "every_widgit", "zzz"],
            "example/every has no every_widgit (did you mean every_widget?)\nexample/every has no zzz",
        ),
        (
            [Path(__file__)],
            "not a provider schema document: `terraform providers schema -json` prints one",
        ),
    ],
)
def test_what_cannot_be_used_is_said(
    arguments: list[Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err == f"{message}\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["[]", "{}", '{"provider_schemas": 5}', '{"provider_schemas": {}}'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(SchemaError):
        read(text)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("oci-8.28.0.json", "8.28.0"),
        ("x-1.0.0-beta1.json", "1.0.0-beta1"),
        ("schema.json", ""),
        ("s3.json", ""),
    ],
)
def test_the_version_comes_from_the_name_of_the_file(name: str, version: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(EVERY.read_bytes())
    run(tmp_path / name, "--provider", "other/thing", "--out", tmp_path / "out")
    assert f'source="other/thing", version="{version}")' in (tmp_path / "out/__init__.py").read_text(
        encoding="utf-8"
    )


def test_the_generator_needs_no_cdktf() -> None:
    program = "import sys, aether_infra.bindgen.__main__; print({'cdktf', 'jsii'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_importing_one_module_loads_that_one() -> None:
    program = (
        "import sys, aether_infra.oracle.bindings as all_of_them;"
        "from aether_infra.oracle.bindings import CoreVcn;"
        "assert 'CoreSubnet' in dir(all_of_them) and not hasattr(all_of_them, 'CoreNothing');"
        "print(sorted(name for name in sys.modules if name.startswith('aether_infra.oracle.bindings.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['aether_infra.oracle.bindings.core_vcn']\n"


def test_every_member_of_the_base_classes_is_reserved() -> None:
    from aether_infra.cdk.generated import Block, DataSource, ObjectReference, Provider, Resource

    kinds = {
        "resource": [Resource],
        "data": [DataSource],
        "provider": [Provider],
        "nested": [ObjectReference, Block],
    }
    for kind, classes in kinds.items():
        members = {name for each in classes for name in dir(each) if not name.startswith("_")}
        assert members <= RESERVED[kind]


@pytest.mark.parametrize(
    ("terraform", "python"),
    [
        ("core_vcn", "CoreVcn"),
        ("byoipv6cidr_details", "Byoipv6CidrDetails"),
        ("s3_bucket", "S3Bucket"),
        ("x509-cert", "X509Cert"),
        ("data_oci_core_images", "DataOciCoreImages"),
    ],
)
def test_class_names_are_those_of_cdktf(terraform: str, python: str) -> None:
    assert camel_case(terraform) == python


def test_names_that_mean_something_else_end_in_an_underscore() -> None:
    names = ["from", "node", "two-words", "two_words", "Type", "_hidden", "1st", "id", "type"]
    assert python_names(names, RESERVED["resource"]) == {
        "from": "from_",
        "node": "node_",
        "two-words": "two_words",
        "two_words": "two_words_",
        "Type": "Type_",
        "_hidden": "hidden",
        "1st": "x_1st",
        "id": "id",
        "type": "type",
    }


def test_text_of_a_provider_does_not_break_out_of_its_docstring(every: ModuleType) -> None:
    assert every.Widget.__doc__.split("\n")[2:4] == [
        "    A widget with \"quotes\", a \\ and '''three''' of them. See `docs`; this text is long enough for more",
        "    than one line of a docstring, which is what it is here for.",
    ]


def test_what_is_generated_is_strictly_typed(every: ModuleType, tmp_path: Path) -> None:
    use = tmp_path / "use.py"
    use.write_text(
        """\
from cdktf import TerraformStack
from every_bindings.data_every_widget import DataEveryWidget
from every_bindings.widget import Widget, WidgetDisk, WidgetDiskPart, WidgetPieces, WidgetPort

def declare(stack: TerraformStack) -> None:
    data = DataEveryWidget(stack, "data", name="x")
    disk = WidgetDisk(gib=1, part=[WidgetDiskPart(type=data.zones.get(0).name)])
    one = Widget(stack, "one", name="x", disk=disk, pieces=[WidgetPieces(color="red")], port=[WidgetPort(number=1)])
    two = Widget(
        stack, "two", name=one.tags.lookup("x"), size=one.weight, enabled=one.is_ready, names=one.zones,
        tags=one.tags, groups={"a": one.groups.get("b")}, disk=one.disk, pieces=one.pieces, port=one.port,
        depends_on=[one, data], count=2,
    )
    reveal_type(two.endpoints.get(0).ports.get(0).number)
    two.name = "y"
    Widget(stack, "three", name=5, disk=disk, pieces=[], port=[])  # wrong
    Widget(stack, "four", disk=disk, pieces=[], port=[])  # wrong
    Widget(stack, "five", name="x", disk=disk, pieces=[], port=[], weight=1)  # wrong
    WidgetDisk(field="x")  # wrong
    two.name = 5  # wrong
""",
        encoding="utf-8",
    )
    assert every.__file__
    package = Path(every.__file__).parent
    config = tmp_path / "mypy.ini"
    config.write_text(
        f"[mypy]\nstrict = true\nmypy_path = {package.parent}:{ROOT / 'constructs'}\n", encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        config,
        "--cache-dir",
        ROOT / ".mypy_cache/bindgen",
        use,
        package,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    lines = use.read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    found = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert {int(line.split(":")[1]) for line in found} == wrong, done.stdout
    assert all(line.startswith("use.py") for line in found), done.stdout
    assert 'Revealed type is "float"' in done.stdout.replace("builtins.", "")
