"""The suite itself: no manager without a world, and nothing left out without a reason."""

from __future__ import annotations

from cloud_world import Can, World

from aether_infra.runtime.registry import KUBERNETES, MANAGERS


def test_every_cloud_that_has_a_manager_has_a_world(all_worlds: dict[str, type[World]]) -> None:
    clouds = {entry.module.split(".")[2] for entry in (*MANAGERS.values(), KUBERNETES)}
    assert {f"cloud_worlds_{cloud}" for cloud in clouds} <= {kind.__module__ for kind in all_worlds.values()}
    assert {"aws-ec2", "aws-ecs", "memory"} <= all_worlds.keys()


def test_what_a_world_lacks_has_a_reason(all_worlds: dict[str, type[World]]) -> None:
    for name, kind in all_worlds.items():
        for what, reason in kind.lacks.items():
            assert len(reason) > 10, f"{name}: {what}"


def test_something_shows_everything(all_worlds: dict[str, type[World]]) -> None:
    """What every world lacked would be tested nowhere."""
    for what in Can:
        assert [name for name, kind in all_worlds.items() if kind.can(what)], what
