"""Every fault that an operator can make, with the exact lines that the tool answers.

`faults/<name>.toml` holds the fault, `faults/<name>.txt` the lines. To add one, write the TOML, run this
test, and copy the lines if they are what you would want to read at night.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_infra.config import ConfigError, load

FAULTS = Path(__file__).parent / "faults"
ENV = {"BAD_REGION": "nowhere-at-all"}


def lines(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, ENV)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(FAULTS.glob("*.toml")), ids=lambda path: path.stem)
def test_fault(path: Path) -> None:
    assert lines(path) == path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("path", sorted(FAULTS.glob("*.toml")), ids=lambda path: path.stem)
def test_no_message_repeats_a_secret(path: Path) -> None:
    found = "\n".join(lines(path))
    for secret in ("hunter2", "4711", "nowhere-at-all"):
        assert secret not in found


def test_every_expectation_has_its_fault() -> None:
    assert {path.stem for path in FAULTS.glob("*.txt")} == {path.stem for path in FAULTS.glob("*.toml")}


def test_messages_are_in_the_projects_style() -> None:
    for path in FAULTS.glob("*.toml"):
        with pytest.raises(ConfigError) as caught:
            load(path, ENV)
        for problem in caught.value.problems:
            assert problem.message
            assert problem.message[0] == problem.message[0].lower()
            assert not problem.message.endswith(".")
            assert not problem.hint.endswith(".") or problem.hint.endswith(("…", "ocid1.vaultsecret.…"))
