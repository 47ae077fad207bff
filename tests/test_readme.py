"""The README is true: what it names exists. The guides that it leads to have tests of their own, in tests/docs."""

from __future__ import annotations

import re

from terraform_json import ROOT

from aether_infra.cli.main import COMMANDS
from aether_infra.config import Provider

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_file_that_is_named_is_there() -> None:
    for path in re.findall(r"`((?:apps|constructs|tests|benchmarks|docs|tools)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path


def test_links_into_the_project_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)(?:#([\w-]+))?\)", README)
    assert len(targets) > 15
    for target, anchor in targets:
        assert (ROOT / target).exists(), target
        headings = re.findall(r"^#+ (.*)$", (ROOT / target).read_text(encoding="utf-8"), re.MULTILINE)
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_every_cloud_has_its_guide() -> None:
    for cloud in Provider:
        assert f"](docs/how-to/{cloud}.md)" in README, cloud


def test_every_command_is_told_of() -> None:
    for name in COMMANDS:
        assert f"aether-infra {name}" in README, name


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\$ make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
