"""The check of the built site finds what is broken, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from terraform_json import ROOT


def check(site: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, ROOT / "docs/check_links.py", site], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("other.html", ""),
        ("other.html#there", ""),
        ("folder/page%20two.html", ""),
        ("#here", ""),
        ("https://example.com/a?b=c#d", ""),
        ("mailto:a@example.com", ""),
        ("data:image/png;base64,AA==", ""),
        ("missing.html", "no such file"),
        ("other.html#nowhere", "no such anchor"),
        ("#nowhere", "no such anchor"),
        ("/absolute.html", "no such file"),
        ("http://example.com/", "is neither https:// with a host nor mailto:"),
        ("https:///path", "is neither https:// with a host nor mailto:"),
        ("file:///etc/passwd", "is neither https:// with a host nor mailto:"),
    ],
)
def test_links(link: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/page two.html").write_text("", encoding="utf-8")
    (tmp_path / "other.html").write_text('<h1 id="there">', encoding="utf-8")
    (tmp_path / "index.html").write_text(f'<p id="here"><a href="{link}">x</a>', encoding="utf-8")
    assert check(tmp_path) == ((1, [f"index.html: {link}: {fault}"]) if fault else (0, []))


def test_pictures_and_style_sheets_count(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<link href="a.css"><img src="b.svg">', encoding="utf-8")
    assert check(tmp_path)[1] == ["index.html: a.css: no such file", "index.html: b.svg: no such file"]


def test_a_site_without_pages_is_no_site(tmp_path: Path) -> None:
    assert check(tmp_path)[0] == 1
