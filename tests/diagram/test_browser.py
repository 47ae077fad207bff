"""The page in a real browser: with a mouse, with the keyboard, and with fonts as they are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Page, browser
from terraform_json import ROOT

from aether_infra.diagram.render import Format, render
from aether_infra.diagram.text import width

Documents = Callable[..., dict[str, Any]]
LIKE_HELVETICA = ("Helvetica", "Arial", "Liberation Sans", "Nimbus Sans", "Arimo")
"""Fonts that are as wide."""
KERNING = 1.03
"""By how much browsers move letters together, which we do not measure."""
NAMED = "document.querySelector('#details h2')?.textContent"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, documents: Documents) -> Iterator[Page]:
    """The page of a sample, opened."""
    folder = tmp_path_factory.mktemp("browser")
    with browser(folder) as opened:
        file = folder / "plan.html"
        found = documents(ROOT / "apps/examples/aws-eks-production.toml")
        file.write_text(render(found, Format.HTML).text, encoding="utf-8")
        opened.size(1600, 1000)
        opened.open(file.as_uri())
        opened.until(
            "document.readyState === 'complete' && document.querySelectorAll('[data-key]').length > 10"
        )
        yield opened
        assert opened.errors == []


@pytest.fixture(autouse=True)
def _afresh(page: Page) -> None:
    page.size(1600, 1000)
    page.run(
        "document.getElementById('search').value = '';"
        "document.getElementById('search').dispatchEvent(new Event('input'));"
        "document.activeElement.blur()"
    )
    mouse(page, "mouseMoved", 2, 2)
    key(page, "Escape")
    page.until("document.querySelector('#details .hint')")


def key(page: Page, name: str, code: int = 0, text: str = "") -> None:
    """Press a key."""
    codes = {"Escape": 27, "Tab": 9, "Enter": 13, " ": 32}
    what = {"key": name, "windowsVirtualKeyCode": code or codes[name]}
    page.call("Input.dispatchKeyEvent", type="keyDown", **what, **({"text": text} if text else {}))
    page.call("Input.dispatchKeyEvent", type="keyUp", **what)


def mouse(page: Page, what: str, x: float, y: float) -> None:
    page.call(
        "Input.dispatchMouseEvent",
        type=what,
        x=x,
        y=y,
        button="left" if what != "mouseMoved" else "none",
        clickCount=1,
    )


def middle(page: Page, selector: str) -> tuple[float, float]:
    """Where an element is seen; its frame's upper border, where boxes within it do not lie."""
    x, y = page.run(
        f"(() => {{ const found = document.querySelector({selector!r}).getBoundingClientRect();"
        " return [found.x + found.width / 2, found.y + 3] })()"
    )
    return x, y


def named(page: Page, part: str) -> str:
    """The selector of the first part whose spoken name holds a text."""
    found: str = page.run(
        f"[...document.querySelectorAll('[data-key]')].find((each) => each.ariaLabel.includes({part!r})).dataset.key"
    )
    return f"[data-key='{found}']"


def test_what_the_mouse_points_at_is_told(page: Page) -> None:
    selector = named(page, "load balancer")
    mouse(page, "mouseMoved", *middle(page, selector))
    page.until(f"{NAMED} === document.querySelector({selector!r}).ariaLabel.split(',')[0]")
    assert page.run("document.querySelectorAll('#details code')[0].textContent").startswith("aws_lb")
    assert page.run("document.querySelectorAll('#details dt').length") > 3
    mouse(page, "mouseMoved", 2, 2)
    page.until("document.querySelector('#details .hint')")


def test_a_click_keeps_it_and_escape_lets_go(page: Page) -> None:
    balancer, network = named(page, "load balancer"), named(page, "10.20.0.0/16")
    for what in ("mouseMoved", "mousePressed", "mouseReleased"):
        mouse(page, what, *middle(page, balancer))
    kept = page.until(NAMED)
    assert page.run(f"document.querySelector({balancer!r}).classList.contains('kept')")
    mouse(page, "mouseMoved", *middle(page, network))
    page.until(f"{NAMED} !== {kept!r}")
    mouse(page, "mouseMoved", 2, 2)
    page.until(f"{NAMED} === {kept!r}")
    page.run("document.activeElement.blur()")
    key(page, "Escape")
    page.until("document.querySelector('#details .hint')")
    assert page.run("document.querySelectorAll('.kept').length") == 0


def test_the_keyboard_reaches_every_part(page: Page) -> None:
    count = page.run("document.querySelectorAll('#picture [tabindex=\"0\"]').length")
    assert count == page.run("document.querySelectorAll('[data-key], [data-flows]').length")
    assert page.run(
        "[...document.querySelectorAll('[data-key], [data-flows]')].every((each) => each.ariaLabel)"
    )
    page.run("document.getElementById('zoom').focus()")
    seen = set()
    for _ in range(count):
        key(page, "Tab")
        seen.add(page.run("document.activeElement.dataset.key ?? document.activeElement.dataset.flows"))
        assert page.run(NAMED), "what has the focus is told"
    assert None not in seen
    assert len(seen) == page.run(
        "new Set([...document.querySelectorAll('[data-key], [data-flows]')]"
        ".map((each) => each.dataset.key ?? each.dataset.flows)).size"
    )
    key(page, "Enter", text="\r")
    assert page.run("document.activeElement.classList.contains('kept')")
    assert page.run("getComputedStyle(document.activeElement.firstElementChild).strokeWidth") == "3px"


def test_the_search_shows_where_something_is(page: Page) -> None:
    page.run("document.getElementById('search').focus()")
    page.call("Input.insertText", text="aws_ecr_repository")
    page.until(r"/^\d+ parts?$/.test(document.getElementById('found').textContent)")
    lit = page.run("[...document.querySelectorAll('[data-key]:not(.dim)')].map((each) => each.ariaLabel)")
    assert any("registry" in each for each in lit)
    assert page.run("document.querySelectorAll('.dim').length") > 10
    key(page, "Enter", text="\r")
    assert page.run("!document.activeElement.classList.contains('dim') && document.activeElement.dataset.key")
    page.run("document.getElementById('search').focus()")
    page.call("Input.insertText", text="<nothing is called that>")
    page.until("document.getElementById('found').textContent === '0 parts'")


def test_the_picture_fits_the_window_or_has_its_own_size(page: Page) -> None:
    fits = (
        "(() => { const inner = document.querySelector('#picture svg').getBoundingClientRect();"
        " const outer = document.getElementById('picture').getBoundingClientRect();"
        " return inner.width <= outer.width && inner.height <= outer.height })()"
    )
    for size in ((1600, 1000), (1100, 700), (2400, 1400)):
        page.size(*size)
        assert page.run(fits), size
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.size(700, 900)
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.run("document.getElementById('zoom').click()")
    actual = page.run("document.querySelector('#picture svg').getBoundingClientRect().width")
    assert actual == page.run("document.querySelector('#picture svg').width.baseVal.value")
    assert page.run("document.getElementById('zoom').ariaPressed") == "true"
    page.run("document.getElementById('zoom').click()")


def test_the_dark_is_dark(page: Page) -> None:
    sheet = "getComputedStyle(document.querySelector('.sheet')).fill"
    page.size(1600, 1000, dark=True)
    assert page.run(sheet) == "rgb(16, 22, 29)"
    page.size(1600, 1000)
    assert page.run(sheet) == "rgb(255, 255, 255)"


def test_words_are_as_wide_as_they_were_measured(page: Page) -> None:
    """Where they are wider in some font, `textLength` presses them into their room; here nothing is pressed."""
    ask = ["fc-match", "-f", "%{family}", "Helvetica"]
    told = (
        subprocess.run(ask, capture_output=True, text=True, check=True).stdout if shutil.which(ask[0]) else ""
    )
    if told.split(",")[0] not in LIKE_HELVETICA:
        pytest.skip(f"Helvetica is {told or 'unknown'} here, which is not as wide")
    found = page.run(
        "[...document.querySelectorAll('#picture text')].map((each) => { const free = each.cloneNode(true);"
        " free.removeAttribute('textLength'); each.after(free); const wide = free.getComputedTextLength();"
        " free.remove(); const look = getComputedStyle(each);"
        " return [each.textContent, parseFloat(look.fontSize), +look.fontWeight > 500, wide] })"
    )
    assert len(found) > 50
    wrong = [
        (text, wide, width(text, round(size), bold=bold))
        for text, size, bold, wide in found
        if not wide - 0.5 <= width(text, round(size), bold=bold) <= wide * KERNING + 2
    ]
    assert wrong == []


def test_an_svg_file_stands_alone(page: Page, documents: Documents, tmp_path: Path) -> None:
    file = tmp_path / "plan.svg"
    picture = render(documents(ROOT / "apps/examples/aws-eks-production.toml"), Format.SVG)
    file.write_text(picture.text, encoding="utf-8")
    address = page.run("location.href")
    page.open(file.as_uri())
    page.until(
        "document.documentElement.localName === 'svg' && document.querySelectorAll('text').length > 50"
    )
    assert page.run("document.querySelectorAll('parsererror').length") == 0
    assert page.run("document.title") in picture.text
    page.open(address)
    page.until("document.readyState === 'complete' && document.querySelector('#details .hint')")
