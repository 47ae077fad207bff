"""The dashboard in a real browser, over the real service and a cluster in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, browser
from serving import Serving, serving

KEYS = {role: f"{role.lower()}-key-of-this-test" for role in ("VIEWER", "ADMIN")}
ENVIRONMENT = ";".join(f"{key}:{role.lower()}::{role}" for role, key in KEYS.items())


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser, for all tests here."""
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def demo(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:  # noqa: ARG001 - skips first
    """The service without keys."""
    with serving(tmp_path_factory.mktemp("demo"), "--demo") as service:
        yield service


@pytest.fixture(scope="module")
def guarded(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:  # noqa: ARG001 - skips first
    """The service with keys."""
    with serving(tmp_path_factory.mktemp("guarded"), "--demo", AETHER_API_KEYS=ENVIRONMENT) as service:
        yield service


@pytest.fixture(autouse=True)
def _afresh(page: Page) -> Iterator[None]:
    """No error before, and none but those that are expected after."""
    page.size(1280, 900)
    page.errors.clear()
    yield
    page.open("about:blank")


def text(page: Page, selector: str) -> str:
    """What an element shows."""
    found: str = page.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
    return found


def looked(page: Page, service: Serving) -> Page:
    """The dashboard, as soon as it shows nodes."""
    page.open(service.url)
    page.until(
        f"location.href.startsWith({json.dumps(service.url)}) && document.querySelector('.node.serving')"
    )
    return page


def test_nodes_figures_and_the_reason_are_shown(page: Page, demo: Serving) -> None:
    looked(page, demo)
    seen = demo.ask("GET", "/nodes").json()["nodes"]
    shown = page.run("[...document.querySelectorAll('[data-node]')].map((each) => each.dataset.node)")
    assert {each["id"] for each in seen} >= set(shown)
    zones = page.run("[...document.querySelectorAll('.zone h3')].map((each) => each.innerText)")
    assert len(zones) == len({each["zone"] for each in seen if each["role"] == "core"})
    for node in (each for each in seen if each["role"] == "core"):
        box = text(page, f'[data-node="{node["id"]}"]')
        assert node["aether_id"] in box
        assert node["address"] in box
        assert ("core, leads" if node["leader"] else "core") in box
    assert page.run("document.querySelectorAll('.node .bar').length") >= 3
    assert text(page, "#cluster") == "demo"
    assert text(page, "#state") == "quorum"
    assert "you are local (ADMIN)" in text(page, "#place")
    page.until("document.querySelector('#chart svg path.desired')", 30)
    figures = text(page, "#figures")
    for part in ("desired (by the load)", "there or coming", "on duty", "1–7", "core nodes besides"):  # noqa: RUF001
        assert part in figures
    assert text(page, "#reason") == demo.ask("GET", "/scale").json()["reason"]
    assert page.errors == []


def test_the_number_is_set_and_an_operation_appears_live_and_is_cancelled(page: Page, demo: Serving) -> None:
    looked(page, demo)
    before = set(
        page.run("[...document.querySelectorAll('[data-operation]')].map((row) => row.dataset.operation)")
    )
    # without a look every few seconds, all that comes now comes by events
    page.run(
        "window.fetch = ((real) => (url, given) =>"
        " /nodes|limit/.test(url) ? new Promise(() => {}) : real(url, given))(fetch)"
    )
    made = demo.ask("POST", "/nodes", json={"reason": "to be cancelled"}).json()["id"]
    assert made not in before
    row = f'[data-operation="{made}"]'
    page.until(f"document.querySelector('{row} .running')")
    assert "create" in text(page, row)
    assert "by local" in text(page, row)
    page.run(f"document.querySelector('{row} button').click()")
    page.until(f"document.querySelector('{row} .cancelled')", 30)
    assert demo.ask("GET", f"/operations/{made}").json()["state"] == "cancelled"
    assert not page.run(f"document.querySelector('{row} button')")

    looked(page, demo)
    page.run("document.getElementById('count').value = 3")
    page.run("document.querySelector('#scale button[value=fixed]').click()")
    page.until("document.getElementById('scale-note').innerText === 'set to 3'")
    page.until("document.getElementById('figures').innerText.includes('desired (set by local)')", 30)
    assert demo.ask("GET", "/scale").json()["count"] == 3
    page.run("document.querySelector('#scale button[value=auto]').click()")
    page.until("document.getElementById('figures').innerText.includes('desired (by the load)')", 30)
    assert demo.ask("GET", "/scale").json()["mode"] == "auto"
    assert page.errors == []


def test_a_number_out_of_bounds_is_not_sent(page: Page, demo: Serving) -> None:
    looked(page, demo)
    page.until("document.getElementById('count').max === '7'")
    page.run("document.getElementById('count').value = 8")
    page.run("document.querySelector('#scale button[value=fixed]').click()")
    assert page.run("document.getElementById('count').validity.rangeOverflow")
    assert text(page, "#scale-note") == ""
    assert demo.ask("GET", "/scale").json()["mode"] == "auto"


def test_nothing_is_asked_of_another_host(page: Page, demo: Serving) -> None:
    looked(page, demo)
    asked = page.run("performance.getEntriesByType('resource').map((each) => each.name)")
    assert len(asked) > 5
    assert {each for each in asked if not each.startswith((demo.url, "data:"))} == set()
    assert page.errors == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_it_fits_wide_and_narrow_light_and_dark(
    page: Page, demo: Serving, tmp_path: Path, width: int, *, dark: bool
) -> None:
    page.size(width, 900, dark=dark)
    looked(page, demo)
    page.until("document.querySelector('#chart svg path.desired')", 30)
    assert page.run("document.documentElement.scrollWidth") <= width
    colours = page.run(
        "['body', 'h1', 'section', '.muted'].map((each) => getComputedStyle(document.querySelector(each)))"
        ".map((style) => [style.backgroundColor, style.color])"
    )
    ground, ink = brightness(colours[0][0]), brightness(colours[1][1])
    assert (ground < ink) is dark
    assert contrast(colours[3][1], colours[2][0]) >= 4.5  # WCAG AA for small text
    page.picture(tmp_path / "dashboard.png")
    assert (tmp_path / "dashboard.png").stat().st_size > 10_000
    assert page.errors == []


def test_a_key_is_asked_for_a_wrong_one_told_and_a_right_one_taken(page: Page, guarded: Serving) -> None:
    page.open(guarded.url)
    page.until("document.getElementById('login')?.open")
    assert not page.run("document.querySelector('.node')")
    enter(page, "not-a-key-of-this-service")
    page.until("document.getElementById('login').open && document.getElementById('login-problem').innerText")
    assert text(page, "#login-problem") == "That key is not known."
    enter(page, KEYS["ADMIN"])
    page.until("document.querySelector('.node.serving')")
    assert not page.run("document.getElementById('login').open")
    assert "you are admin (ADMIN)" in text(page, "#place")
    assert not page.run("document.getElementById('scale').hidden")
    assert KEYS["ADMIN"] not in page.run(
        "document.documentElement.outerHTML + location.href + document.cookie"
    )
    page.run("sessionStorage.clear()")
    # the browser itself tells the refusals, and nothing else has gone wrong
    assert {error.split(" ")[-1] for error in page.errors} == {f"{guarded.url}/api/cloud"}
    assert all("status of 401" in error or "status of 403" in error for error in page.errors)


def test_a_viewer_sees_everything_and_can_change_nothing(page: Page, guarded: Serving) -> None:
    page.open(guarded.url)
    page.until("document.getElementById('login')?.open")
    enter(page, KEYS["VIEWER"])
    page.until("document.querySelector('.node.serving')")
    headers = {"X-API-Key": KEYS["ADMIN"]}
    made = guarded.ask("POST", "/nodes", headers=headers).json()["id"]
    page.until(f"""document.querySelector('[data-operation="{made}"]')""")
    assert page.run("getComputedStyle(document.getElementById('scale')).display") == "none"
    assert (
        page.run(
            "document.querySelectorAll('main button').length - document.querySelectorAll('#scale button').length"
        )
        == 0
    )
    guarded.ask("POST", f"/operations/{made}/cancel", headers=headers)
    page.run("sessionStorage.clear()")


def enter(page: Page, key: str) -> None:
    """Type a key into the dialog, and open."""
    page.run(f"document.getElementById('key').value = {json.dumps(key)}")
    page.run("document.querySelector('#login button').click()")


def channels(colour: str) -> list[float]:
    """Red, green and blue of `rgb(…)`, 0-1."""
    return [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(", ")]


def brightness(colour: str) -> float:
    """Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance (as of 2026-11)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1-21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio (as of 2026-11)."""
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)
