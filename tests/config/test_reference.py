"""What is known of every key, and the page that is made of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import attrs
import pytest
from docutils.core import publish_doctree
from docutils.nodes import document as Document  # noqa: N812 - a class
from docutils.nodes import reference as Reference  # noqa: N812 - a class
from myst_parser.parsers.docutils_ import Parser
from terraform_json import ROOT

from aether_infra.config import AetherConfig, Provider, loads
from aether_infra.config.checks import CHECKS
from aether_infra.config.reference import Key, Kind, Table, keys, plain, reference
from aether_infra.config.reference_page import COMMAND, FILE_NAME, reference_page, slug
from aether_infra.config.tables import table_class, toml_key


def fields(cl: type, path: tuple[str, ...] = ()) -> Iterator[tuple[str, attrs.Attribute[object]]]:
    """Every field that is a key, by its dotted path; found in a plainer way than the reference does it."""
    for attribute in attrs.fields(cl):
        inner = table_class(attribute.type)
        if inner is not None:
            yield from fields(inner, (*path, toml_key(attribute)))
        elif path and (path != ("cloud", "state") or attribute.name == "backend"):
            yield ".".join((*path, toml_key(attribute))), attribute


FIELDS = dict(fields(AetherConfig))


def test_every_field_is_there_and_nothing_else() -> None:
    assert keys().keys() == FIELDS.keys()
    assert len(FIELDS) > 200


@pytest.mark.parametrize("key", keys().values(), ids=lambda key: key.dotted)
def test_every_key_has_words(key: Key) -> None:
    assert key.text.endswith(".")
    assert key.text[0].isupper()
    assert "  " not in key.text
    assert not re.search(r"https?://", plain(key.text))
    # what has a default of its own says so in figures
    if key.kind is Kind.NUMBER and key.default is not None:
        assert re.search(rf"efault:? {key.default}\b", key.text)


def test_every_table_has_words() -> None:
    for table in reference().every_table():
        if table.path:
            assert table.text.endswith(".")
            assert "`[" not in table.text


def test_checks_and_defaults_are_those_of_the_classes() -> None:
    for path, attribute in FIELDS.items():
        key = keys()[path]
        assert key.checks == attribute.metadata.get(CHECKS, ())
        if isinstance(attribute.default, bool | int | str):
            assert key.default == attribute.default


def test_defaults_are_what_a_file_without_the_key_has() -> None:
    config = loads("[cloud.aws]\n[cloud.kubernetes]\n[cloud]\nprovider = 'aws'\n")
    for path in (
        "cluster.name",
        "cloud.shutdown.leave_seconds",
        "cloud.aws.allowed_cidrs",
        "cloud.kubernetes.context",
    ):
        found: object = config
        for step in path.split("."):
            found = getattr(found, step)
        assert keys()[path].default == (list(found) if isinstance(found, tuple) else found)


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("cluster.nodes", Kind.NUMBER, "the largest of these that is not above `min_nodes`"),
        ("app-http.enabled", Kind.SWITCH, "not said"),
        ("cloud.image", Kind.TEXT, "this cloud's own registry repository with the tag `latest`"),
        ("cloud.aws.availability_zones", Kind.NUMBER_OR_TEXTS, "3: no zone holds a majority"),
        ("cloud.aws.ecr_repository", Kind.TEXT, "`<cluster>-node`"),
        ("cloud.aws.kms_key_arn", Kind.TEXT, "AWS's own keys"),
        ("cloud.gcp.project", Kind.TEXT, ""),
        ("cloud.kubernetes.node_selector", Kind.TEXT_TABLE, "any"),
        ("cloud.azure.admin_group_ids", Kind.TEXTS, "none"),
    ],
)
def test_defaults_in_words(path: str, kind: Kind, words: str) -> None:
    assert keys()[path].kind is kind
    assert keys()[path].default_words == words


def test_what_only_the_operator_can_know_is_required() -> None:
    required = {path for path, key in keys().items() if key.required}
    assert required == {
        "cloud.azure.subscription_id",
        "cloud.gcp.project",
        "cloud.oracle.compartment_id",
        "cloud.oracle.tenancy_id",
    }


def test_kinds_of_compute() -> None:
    assert keys()["cloud.aws.execute_command"].only_for == ("fargate",)
    assert keys()["cloud.gcp.maintenance.hours"].only_for == ("gke",)
    assert keys()["cloud.aws.region"].only_for == ()
    for key in keys().values():
        if key.only_for:
            assert key.provider is not None
            compute = keys()[f"cloud.{key.provider}.compute"]
            assert set(key.only_for) < set(compute.choices)


def test_sources_are_apart_from_the_meaning() -> None:
    key = keys()["cloud.oracle.data_volume_gib"]
    assert key.text == "Size of a core node's data volume in GiB, 50-32768; default 50, the least."
    assert key.source.startswith("Source: https://docs.oracle.com/")
    assert "ALB's must be /27 or larger. AWS" in plain(keys()["cloud.aws.vpc_cidr"].text)


def test_one_of_several_clouds_keys_is_its_own() -> None:
    assert keys()["cloud.aws.data_volume_gib"].shared
    assert not keys()["cloud.oracle.data_volume_gib"].shared
    assert reference().table("cloud").table("oracle").provider is Provider.ORACLE
    with pytest.raises(KeyError):
        reference().table("clouds")


def test_the_page_is_what_it_would_be_written_as_now() -> None:
    file = ROOT / FILE_NAME
    assert file.read_text(encoding="utf-8") == reference_page(), f"run: {COMMAND}"


def test_the_page_holds_every_key() -> None:
    page = reference_page()
    for key in keys().values():
        heading = f"cloud.<name>.{key.name}" if key.shared else key.dotted
        assert page.count(f"\n### `{heading}`\n") == 1
    for table in reference().every_table():
        if table.path:
            assert page.count(f"\n## `[{table.dotted}]`\n") == 1


def test_the_page_says_what_is_allowed() -> None:
    page = reference_page()

    def entry(path: str) -> str:
        return page.partition(f"### `{path}`\n")[2].partition("\n## ")[0].partition("\n### ")[0]

    assert "- Allowed: `fargate`, `eks`, `ec2`" in entry("cloud.aws.compute")
    assert "- Allowed: 5 to 300 seconds" in entry("cloud.health.interval_seconds")
    assert "- Only for compute: `eks`" in entry("cloud.aws.node_os")
    assert "- Default: **required**" in entry("cloud.gcp.project")
    assert "- Default: `[]`: nobody" in entry("cloud.<name>.management_cidrs")
    assert "| `s3` | `bucket` |" in page
    assert "- `nat`: droplets here have public addresses" in page


@pytest.fixture(scope="module")
def doctree() -> Document:
    """The page as MyST reads it; a warning is an error."""
    tree: Document = publish_doctree(
        reference_page(),
        parser=Parser(),
        settings_overrides={
            "halt_level": 2,
            "report_level": 2,
            "myst_heading_anchors": 3,
            "doctitle_xform": False,
        },
    )
    return tree


def test_every_link_of_the_page_leads_somewhere(doctree: Document) -> None:
    links = [node for node in doctree.findall(Reference) if "refid" in node or "#" in node.get("refuri", "#")]
    assert len(links) > 250
    assert all(node["refid"] in doctree.ids for node in links if "refid" in node)
    assert not [node for node in doctree.findall(Reference) if node.get("refuri", "").startswith("#")]


def test_every_heading_has_an_anchor_of_its_own() -> None:
    headings = re.findall(r"^#{2,3} `(.*)`$", reference_page(), re.MULTILINE)
    assert max(Counter(map(slug, headings)).values()) == 1


def test_the_page_is_rendered_as_meant(doctree: Document) -> None:
    text = doctree.astext()
    assert "1-90 letters, digits and _-.(), and not end in a full stop" in text
    assert "…@sha256:<64 hex digits>" in text
    assert "[kubernetes] storage_class" in text
    assert "\\" not in text


def test_a_table_of_tables() -> None:
    top: Table = reference()
    assert [table.path for table in top.tables] == [
        ("cluster",),
        ("node",),
        ("app-http",),
        ("kubernetes",),
        ("cloud",),
    ]
    assert top.open
    assert not top.table("cluster").open
    assert top.table("cloud").table("state").free
