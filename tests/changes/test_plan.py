"""What happens to each resource: its own differences, and those that follow from others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aether_infra.changes.model import Action, Changes, ResourceChange
from aether_infra.changes.stacks import compare_documents

Compared = Callable[..., Changes]
VPC = {"cidr_block": "10.0.0.0/16"}
OTHER_VPC = {"cidr_block": "10.1.0.0/16"}
SUBNET = {"vpc_id": "${aws_vpc.v.id}", "cidr_block": "10.0.1.0/24"}


def by_address(changes: Changes) -> dict[str, ResourceChange]:
    return {each.address: each for each in changes}


def actions(changes: Changes) -> dict[str, Action]:
    return {each.address: each.action for each in changes}


def resource(type_: str, **named: Mapping[str, Any]) -> dict[str, Any]:
    return {type_: named}


def test_added_and_removed(compared: Compared) -> None:
    old, new = resource("aws_vpc", a=VPC), resource("aws_vpc", b=VPC)
    assert actions(compared(old, new)) == {"aws_vpc.a": Action.REMOVE, "aws_vpc.b": Action.ADD}


def test_a_chain_of_replacements(compared: Compared) -> None:
    rest = {
        "aws_subnet": {"s": SUBNET},
        "aws_efs_mount_target": {"m": {"subnet_id": "${aws_subnet.s.id}", "file_system_id": "fs-1"}},
        "aws_lb": {"l": {"name": "x", "subnets": ["${aws_subnet.s.id}", "subnet-2"]}},
    }
    changes = by_address(compared(resource("aws_vpc", v=VPC) | rest, resource("aws_vpc", v=OTHER_VPC) | rest))
    assert {address: change.action for address, change in changes.items()} == {
        "aws_vpc.v": Action.REPLACE,
        "aws_subnet.s": Action.REPLACE,
        "aws_efs_mount_target.m": Action.REPLACE,
        "aws_lb.l": Action.CHANGE,
    }
    (argument,) = changes["aws_lb.l"].arguments
    assert (argument.path, argument.follows) == ("subnets", "aws_subnet.s.id")


def test_what_the_configuration_says_of_a_replaced_resource_is_still_known(compared: Compared) -> None:
    service = {"aws_ecs_service": {"s": {"name": "s", "cluster": "${aws_ecs_cluster.c.name}"}}}
    old = {"aws_ecs_cluster": {"c": {"name": "same"}}, **service}
    moved = {"aws_ecs_cluster": {"c": {"name": "other"}}, **service}
    assert actions(compared(old, moved)) == {
        "aws_ecs_cluster.c": Action.REPLACE,
        "aws_ecs_service.s": Action.REPLACE,
    }
    in_region = {"provider": {"aws": [{"region": "a"}]}}
    assert actions(compared(old, old, both=in_region)) == {}


def test_an_attribute_of_what_changes_in_place_stays(compared: Compared) -> None:
    rest = resource("aws_subnet", s=SUBNET)
    old, new = (resource("aws_vpc", v=VPC | {"tags": {"a": tag}}) | rest for tag in "12")
    assert actions(compared(old, new)) == {"aws_vpc.v": Action.CHANGE}


def test_a_version_follows_any_change(compared: Compared) -> None:
    group = resource(
        "aws_autoscaling_group", g={"launch_template": {"version": "${aws_launch_template.t.latest_version}"}}
    )
    old, new = (
        resource("aws_launch_template", t={"image_id": image}) | group for image in ("ami-1", "ami-2")
    )
    assert actions(compared(old, new)) == {
        "aws_launch_template.t": Action.CHANGE,
        "aws_autoscaling_group.g": Action.CHANGE,
    }


def test_ignored_arguments_do_not_change(compared: Compared) -> None:
    ignoring = {"lifecycle": {"ignore_changes": ["ami", "scaling[0].size"]}}
    old = resource("aws_instance", i={"ami": "1", "scaling": {"size": 1, "other": 1}} | ignoring)
    new = resource("aws_instance", i={"ami": "2", "scaling": {"size": 2, "other": 1}} | ignoring)
    assert compared(old, new).is_empty
    everything = {"lifecycle": {"ignore_changes": "all"}}
    old, new = (resource("aws_instance", i={"ami": ami} | everything) for ami in "12")
    assert compared(old, new).is_empty


def test_what_is_ignored_is_not_followed(compared: Compared) -> None:
    follower = {"aws_instance": {"i": {"ami": "${aws_ami.a.id}", "lifecycle": {"ignore_changes": ["ami"]}}}}
    old, new = ({"aws_ami": {"a": {"name": name}}} | follower for name in "12")
    assert "aws_instance.i" not in actions(compared(old, new))


def test_what_is_terraforms_own_business_is_no_change(compared: Compared) -> None:
    old = resource("aws_vpc", v=VPC)
    new = resource(
        "aws_vpc",
        v=VPC
        | {
            "//": {"metadata": {"path": "aws/network"}},
            "depends_on": ["aws_eip.e"],
            "lifecycle": {"create_before_destroy": True},
            "timeouts": {"create": "1m"},
        },
    )
    assert compared(old, new).is_empty


def test_replace_triggered_by(compared: Compared) -> None:
    table = resource("aws_ecs_service", s={"name": "s", "lifecycle": {"replace_triggered_by": ["aws_vpc.v"]}})
    old, new = (resource("aws_vpc", v=VPC | {"tags": {"a": tag}}) | table for tag in "12")
    change = by_address(compared(old, new))["aws_ecs_service.s"]
    assert change.action is Action.REPLACE
    assert "replace_triggered_by" in change.reasons[0]


def test_a_type_that_nothing_is_known_of(compared: Compared) -> None:
    old, new = (resource("acme_thing", t={"size": size}) for size in (1, 2))
    assert actions(compared(old, new)) == {"acme_thing.t": Action.MAYBE_REPLACE}


def test_what_keeps_its_value_when_it_is_left_out(compared: Compared) -> None:
    with_version = resource("aws_eks_cluster", c={"name": "c", "version": "1.33"})
    without = resource("aws_eks_cluster", c={"name": "c"})
    assert compared(with_version, without).is_empty
    assert actions(compared(without, with_version)) == {"aws_eks_cluster.c": Action.CHANGE}


def test_what_is_looked_up_may_be_another() -> None:
    volume = resource("aws_ebs_volume", v={"availability_zone": "${data.aws_subnet.s.availability_zone}"})
    data = [{"data": {"aws_subnet": {"s": {"id": identity}}}} for identity in ("subnet-1", "subnet-2")]
    changes = compare_documents(*({"aws": {"resource": volume, **each}} for each in data))
    (change,) = changes
    assert change.action is Action.MAYBE_REPLACE
    assert "data.aws_subnet.s.availability_zone" in change.arguments[0].condition


def test_what_is_looked_up_by_what_is_made_anew_is_known_only_afterwards(compared: Compared) -> None:
    data = {"data": {"aws_subnet": {"s": {"id": "${aws_subnet.s.id}"}}}}
    rest = {
        "aws_subnet": {"s": SUBNET},
        "aws_ebs_volume": {"v": {"availability_zone": "${data.aws_subnet.s.availability_zone}"}},
    }
    old, new = ({"aws_vpc": {"v": each}, **rest} for each in (VPC, OTHER_VPC))
    assert actions(compared(old, new, both=data))["aws_ebs_volume.v"] is Action.REPLACE


def test_a_policy_document_is_made_of_its_arguments() -> None:
    policy = resource(
        "aws_iam_role_policy", p={"name": "p", "policy": "${data.aws_iam_policy_document.d.json}"}
    )
    documents = (
        {"aws": {"resource": policy, "data": {"aws_iam_policy_document": {"d": {"statement": {"sid": sid}}}}}}
        for sid in "12"
    )
    (change,) = compare_documents(*documents)
    assert change.action is Action.CHANGE
    assert change.arguments[0].is_certain


def test_another_region_replaces_what_has_one() -> None:
    table = {"aws_vpc": {"v": VPC}, "aws_iam_role": {"r": {"name": "r"}}}
    documents = ({"aws": {"resource": table, "provider": {"aws": [{"region": each}]}}} for each in "ab")
    changes = compare_documents(*documents)
    assert actions(changes) == {"aws_vpc.v": Action.REPLACE}
    (setting,) = changes.stacks[0].providers
    assert (setting.what, setting.path, setting.old, setting.new) == ("provider aws", "region", "a", "b")
    assert not by_address(changes)["aws_vpc.v"].is_left_behind


def test_other_providers_look_in_the_new_place_only() -> None:
    table = {"oci_core_vcn": {"v": {"cidr_blocks": ["10.0.0.0/16"]}}}
    documents = ({"oracle": {"resource": table, "provider": {"oci": [{"region": each}]}}} for each in "ab")
    (change,) = compare_documents(*documents)
    assert change.is_left_behind
    assert not change.goes


def test_terraform_refuses_to_replace_what_must_not_be_destroyed(compared: Compared) -> None:
    held = {"lifecycle": {"prevent_destroy": True}}
    old, new = (resource("aws_vpc", v=each | held) for each in (VPC, OTHER_VPC))
    changes = compared(old, new)
    assert by_address(changes)["aws_vpc.v"].is_refused
    assert "refused" in {danger.kind for danger in changes.dangers}


def test_what_is_gone_from_the_configuration_is_protected_by_nothing_in_it(compared: Compared) -> None:
    old = resource("aws_ebs_volume", v={"size": 1, "lifecycle": {"prevent_destroy": True}})
    changes = compared(old, {})
    assert not by_address(changes)["aws_ebs_volume.v"].is_refused
    (danger,) = changes.dangers
    assert "prevent_destroy does not help" in danger.message


def test_a_workload_goes_with_its_cluster() -> None:
    def documents(name: str) -> dict[str, Any]:
        return {
            "gcp": {
                "resource": {"google_container_cluster": {"c": {"name": name}}},
                "output": {
                    "runtime": {
                        "value": {"kubernetes": {"endpoint": "${google_container_cluster.c.endpoint}"}}
                    }
                },
            },
            "gcp-workload": {
                "resource": {"kubernetes_namespace_v1": {"n": {"metadata": {"name": "aether"}}}},
                "data": {"terraform_remote_state": {"infrastructure": {"backend": "local"}}},
                "provider": {
                    "kubernetes": [
                        {
                            "host": "${data.terraform_remote_state.infrastructure.outputs.runtime.kubernetes.endpoint}"
                        }
                    ]
                },
            },
        }

    changes = by_address(compare_documents(documents("a"), documents("b")))
    assert changes["kubernetes_namespace_v1.n"].lost_its_cluster
    assert compare_documents(documents("a"), documents("a")).is_empty


def test_a_circle_ends(compared: Compared) -> None:
    old = {
        "aws_vpc": {"v": {"cidr_block": "1", "x": "${aws_subnet.s.id}"}},
        "aws_subnet": {"s": {"vpc_id": "${aws_vpc.v.id}"}},
    }
    new = old | {"aws_vpc": {"v": {"cidr_block": "2", "x": "${aws_subnet.s.id}"}}}
    assert actions(compared(old, new))["aws_vpc.v"] is Action.REPLACE
