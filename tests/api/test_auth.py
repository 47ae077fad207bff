"""Keys, roles, and how often somebody may call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.api.auth import Role, parse_keys
from aether_infra.api.limits import Limiter
from aether_infra.api.options import is_loopback, read_options
from aether_infra.errors import ConfigError

KEY = "0123456789abcdef0123456789abcdef"
CHANGES = [
    ("POST", "/nodes", "OPERATOR"),
    ("POST", "/nodes/i-0004/drain", "OPERATOR"),
    ("POST", "/nodes/i-0004/activate", "OPERATOR"),
    ("POST", "/nodes/i-0004/terminate", "OPERATOR"),
    ("PUT", "/targets/i-0004", "OPERATOR"),
    ("DELETE", "/targets/i-0004", "OPERATOR"),
    ("PUT", "/scale", "OPERATOR"),
    ("POST", "/operations/op-00000000000000000000/cancel", "OPERATOR"),
    ("PUT", "/dns", "ADMIN"),
    ("POST", "/orphans/i-0004/collect", "ADMIN"),
    ("GET", "/audit", "ADMIN"),
]
LOOKS = ["", "/nodes", "/nodes/i-0001", "/targets", "/scale", "/operations", "/decisions", "/orphans"]


def test_keys_in_the_form_of_the_node() -> None:
    ring, problems = parse_keys(f"{KEY}:alice:reader,writer:OPERATOR; {KEY[::-1]} ;")
    assert not problems
    alice = ring.find(KEY)
    assert alice is not None
    assert (alice.name, alice.role) == ("alice", Role.OPERATOR)
    alone = ring.find(KEY[::-1])
    assert alone is not None
    assert (alone.name, alone.role) == ("key-2", Role.ADMIN)
    assert ring.find(KEY[:-1]) is None
    assert ring.find("") is None
    assert KEY not in repr(ring)


def test_every_fault_of_the_keys_is_told_and_no_key_is_repeated() -> None:
    _, problems = parse_keys(f"short:bob;{KEY}:eve::OPERATER;{KEY}:a:b:ADMIN:e;sch\u00fcssel-der-lang-ist")
    told = "\n".join(map(str, problems))
    assert "AETHER_API_KEYS[1]: has a key of 5 characters; at least 16 are allowed" in told
    assert 'AETHER_API_KEYS[2]: must have one of VIEWER, OPERATOR, ADMIN as its role, got "OPERATER"' in told
    assert 'did you mean "OPERATOR"?' in told
    assert "AETHER_API_KEYS[3]: has 5 parts" in told
    assert "AETHER_API_KEYS[4]: has a key with characters that a header cannot carry" in told
    assert KEY not in told
    assert "short" not in told


def test_the_same_key_twice_is_refused() -> None:
    assert [str(each) for each in parse_keys(f"{KEY}:a::VIEWER;{KEY}:b::ADMIN")[1]] == [
        "AETHER_API_KEYS: has the same key twice"
    ]


@given(text=st.text(max_size=200))
def test_any_text_gives_keys_or_problems(text: str) -> None:
    ring, problems = parse_keys(text)
    assert bool(ring) or bool(problems) or not text.replace(";", "").strip()


def test_without_keys_it_stays_on_loopback() -> None:
    assert read_options(env={}).url == "http://127.0.0.1:8081"
    with pytest.raises(
        ConfigError, match=r"--host: 0\.0\.0\.0 can be reached from elsewhere, and there is no key"
    ):
        read_options(host="0.0.0.0", env={})  # noqa: S104 - that is what is refused
    assert read_options(host="0.0.0.0", env={"AETHER_API_KEYS": KEY}).keys  # noqa: S104 - with a key it may


def test_every_fault_of_where_to_listen_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read_options(
            host="example.com",
            port=70000,
            certificate=tmp_path / "cert.pem",
            env={"AETHER_API_KEYS": "short"},
        )
    told = str(raised.value)
    for part in (
        "--host: must be an IP address",
        "--port: must be 1 to 65535",
        "--tls-key: is missing",
        "AETHER_API_KEYS[1]",
    ):
        assert part in told
    with pytest.raises(ConfigError, match=r"--tls-cert: .*cert\.pem does not exist"):
        read_options(certificate=tmp_path / "cert.pem", private_key=tmp_path / "key.pem", env={})


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - asked about, not listened on
        ("10.0.0.1", False),
    ],
)
def test_what_loopback_is(host: str, *, only_here: bool) -> None:
    assert is_loopback(host) is only_here


def test_everybody_needs_a_key(play: Callable[..., None]) -> None:
    async def story(stage) -> None:  # noqa: ANN001
        for method, path, _ in [*CHANGES, *(("GET", look, "") for look in LOOKS)]:
            answer = await stage.ask(method, path, "")
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == 'ApiKey realm="Aether"'
            assert answer.headers["content-type"] == "application/problem+json"
        assert not await stage.service.engine.operations()

    play(story)


@pytest.mark.parametrize(("method", "path", "needs"), CHANGES)
def test_who_may_do_what(play: Callable[..., None], method: str, path: str, needs: str) -> None:
    async def story(stage) -> None:  # noqa: ANN001
        for role in ("VIEWER", "OPERATOR", "ADMIN"):
            answer = await stage.ask(method, path, role)
            refused = Role[role] < Role[needs]
            assert (answer.status_code == 403) is refused, (role, answer.text)
            if refused:
                assert answer.json()["type"] == "urn:aether-infra:problem:role"
                assert f"needs {needs}, and the key {role.lower()} is {role}" in answer.json()["detail"]
        entries = (await stage.ask("GET", "/audit")).json()["entries"]
        assert {each["actor"] for each in entries if each["subject"] == "role"} == {
            role.lower() for role in ("VIEWER", "OPERATOR") if Role[role] < Role[needs]
        }

    play(story)


@pytest.mark.parametrize("path", LOOKS)
def test_a_viewer_may_look(play: Callable[..., None], path: str) -> None:
    async def story(stage) -> None:  # noqa: ANN001
        assert (await stage.ask("GET", path, "VIEWER")).status_code == 200

    play(story)


@pytest.mark.parametrize("verb", ["drain", "terminate"])
def test_a_core_node_needs_an_admin(play: Callable[..., None], verb: str) -> None:
    async def story(stage) -> None:  # noqa: ANN001
        answer = await stage.ask("POST", f"/nodes/i-0002/{verb}", "OPERATOR", json={"core": True})
        assert answer.status_code == 403
        assert "a core node needs ADMIN" in answer.json()["detail"]

    play(story)


def test_guessing_keys_is_slow_and_written_down(play: Callable[..., None]) -> None:
    async def story(stage) -> None:  # noqa: ANN001
        wrong = {"X-API-Key": "x" * 32}
        answers = [(await stage.ask("GET", "/nodes", "", headers=wrong)).status_code for _ in range(12)]
        assert answers == [403] * 10 + [429] * 2
        right = await stage.ask("GET", "/nodes")
        assert right.status_code == 429, "even a right guess does not help any more"
        assert int(right.headers["Retry-After"]) >= 1
        await stage.service.calendar.sleep(int(right.headers["Retry-After"]) + 60)
        entries = (await stage.ask("GET", "/audit")).json()["entries"]
        assert len([each for each in entries if each["detail"] == "a wrong key"]) == 10
        assert "xxx" not in str(entries)

    play(story)


def test_calls_are_limited_for_each_key_by_itself(play: Callable[..., None]) -> None:
    async def story(stage) -> None:  # noqa: ANN001
        answers = [(await stage.ask("GET", "", "VIEWER")).status_code for _ in range(6)]
        assert answers == [200] * 5 + [429]
        assert (await stage.ask("GET", "", "ADMIN")).status_code == 200
        await stage.service.calendar.sleep(1)
        assert (await stage.ask("GET", "", "VIEWER")).status_code == 200

    play(story, {"calls_at_once": 5, "calls_per_second": 2})


@given(
    calls=st.lists(st.floats(0, 10), min_size=1, max_size=200),
    per_second=st.floats(0.1, 50),
    burst=st.floats(1, 50),
)
def test_never_more_than_the_burst_and_the_rate(calls: list[float], per_second: float, burst: float) -> None:
    time = 0.0
    limiter = Limiter(per_second, burst, lambda: time)
    taken = 0
    for pause in calls:
        time += pause
        wait = limiter.take("somebody")
        assert wait >= 0
        taken += wait == 0
        assert taken <= burst + time * per_second + 1e-6
