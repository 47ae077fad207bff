"""What holds for any two documents."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aether_infra.changes.model import Action, Changes
from aether_infra.changes.report import report
from aether_infra.changes.stacks import compare_documents
from aether_infra.changes.text import lines

TYPES = ("aws_vpc", "aws_subnet", "aws_ecs_service", "google_compute_disk", "acme_thing")
KEYS = ("name", "cidr_block", "vpc_id", "size", "tags", "cluster", "rule", "text")
REFERENCES = [f"${{{type_}.{name}.id}}" for type_ in TYPES for name in "ab"]
JSON_TEXTS = ['{"a": 1}', '[{"name": "x", "v": 2}]', "{"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.sampled_from(["", "a", "10.0.0.0/16", *REFERENCES, *JSON_TEXTS]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=4,
)
lifecycles = st.fixed_dictionaries(
    {},
    optional={
        "prevent_destroy": st.booleans(),
        "create_before_destroy": st.booleans(),
        "ignore_changes": st.lists(st.sampled_from(KEYS), max_size=2),
    },
)
bodies = st.dictionaries(st.sampled_from(KEYS), values, max_size=4).flatmap(
    lambda body: st.builds(lambda lifecycle: body | {"lifecycle": lifecycle}, lifecycles)
)
documents = st.fixed_dictionaries(
    {
        "resource": st.dictionaries(
            st.sampled_from(TYPES), st.dictionaries(st.sampled_from("ab"), bodies, max_size=2), max_size=4
        ),
        "provider": st.fixed_dictionaries(
            {"aws": st.lists(st.fixed_dictionaries({"region": st.sampled_from("xy")}), max_size=1)}
        ),
        "terraform": st.fixed_dictionaries(
            {
                "backend": st.fixed_dictionaries(
                    {"local": st.fixed_dictionaries({"path": st.sampled_from("pq")})}
                )
            }
        ),
    }
)
stacks = st.dictionaries(st.sampled_from(["aws", "gcp", "gcp-workload"]), documents, max_size=2)


def actions(changes: Changes, *wanted: Action) -> set[tuple[str, str]]:
    return {(each.stack, each.address) for each in changes if each.action in wanted}


@given(stacks)
@settings(max_examples=25, deadline=None)
def test_nothing_changes_between_a_document_and_itself(old: dict[str, Any]) -> None:
    changes = compare_documents(old, copy.deepcopy(old))
    assert changes.is_empty
    assert changes.notes == ()


@given(stacks, stacks)
@settings(max_examples=40, deadline=None)
def test_what_is_added_one_way_is_removed_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = compare_documents(old, new), compare_documents(new, old)
    assert actions(there, Action.ADD) == actions(back, Action.REMOVE)
    assert actions(there, Action.REMOVE) == actions(back, Action.ADD)


@given(stacks, stacks)
@settings(max_examples=40, deadline=None)
def test_any_change_can_be_told(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = copy.deepcopy((old, new))
    changes = compare_documents(old, new)
    told = [text for line in lines(changes) for text, _ in line]
    assert all(isinstance(text, str) for text in told)
    found = report(changes)
    assert sum(found["summary"].values()) == sum(len(stack["resources"]) for stack in found["stacks"])
    assert (old, new) == before, "documents are only read"


@given(documents, st.sampled_from(KEYS), values)
@settings(max_examples=40, deadline=None)
def test_a_change_of_an_ignored_argument_alone_is_none(
    document: dict[str, Any], key: str, value: Any
) -> None:
    for named in document["resource"].values():
        for body in named.values():
            body["lifecycle"] = {"ignore_changes": [key]}
    changed = copy.deepcopy(document)
    for named in changed["resource"].values():
        for body in named.values():
            body[key] = value
    assert [each.address for each in compare_documents({"aws": document}, {"aws": changed})] == []


@given(documents)
@settings(max_examples=25, deadline=None)
def test_the_order_of_a_document_does_not_matter(document: dict[str, Any]) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(item) for key, item in reversed(list(value.items()))}
        return [turned(item) for item in value] if isinstance(value, list) else value

    assert compare_documents({"aws": document}, {"aws": turned(document)}).is_empty


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["", "a", "all", *REFERENCES])),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["aws_vpc", "a", "lifecycle", "ignore_changes", "depends_on", "metadata", "spec"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
tables = st.dictionaries(
    st.sampled_from(["//", "resource", "data", "provider", "terraform", "output", "locals"]), anything
)


@given(tables, tables)
@settings(max_examples=60, deadline=None)
def test_no_document_is_too_strange(old: dict[str, Any], new: dict[str, Any]) -> None:
    told = list(lines(compare_documents({"aws": old}, {"aws": new})))
    assert told
