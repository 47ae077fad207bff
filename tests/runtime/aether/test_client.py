"""Aether's client, against nodes in memory and against answers as they are known to be wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from runtime_world import World
from virtual_time import run

from aether_infra.config import ConfigError
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether import shapes
from aether_infra.runtime.aether.client import Aether, AetherOptions
from aether_infra.runtime.aether.errors import (
    AetherDenied,
    AetherRefused,
    AetherUnavailable,
    AetherUnsupported,
)
from aether_infra.runtime.aether.shapes import Load, Member
from aether_infra.runtime.observation import Lifecycle, Thresholds

ADDRESSES = ("10.0.0.2", "10.0.0.3", "10.0.0.4")


def play(story: Callable[[World, Aether], Awaitable[None]], key: str = "", **fake: Any) -> None:
    """Play with the fake nodes."""

    async def main() -> None:
        world = World.of("sqlite://")
        for name, value in fake.items():
            setattr(world.aether, name, value)
        client = Aether(AetherOptions(api_key=key), world.aether.transport)
        client.reach(ADDRESSES)
        await story(world, client)
        await client.close()

    run(main())


def answering(answers: Mapping[str, Any], addresses: tuple[str, ...] = ("10.0.0.2",)) -> Aether:
    """A client whose nodes give these answers: a body, a status and a body, or an error to raise."""

    def handle(request: httpx.Request) -> httpx.Response:
        found = answers.get(f"{request.url.host}{request.url.path}", answers.get(request.url.path, (404, {})))
        if isinstance(found, Exception):
            raise found
        status, body = found if isinstance(found, tuple) else (200, found)
        return (
            httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)
        )

    client = Aether(AetherOptions(), httpx.MockTransport(handle))
    client.reach(addresses)
    return client


@pytest.mark.parametrize("old", [False, True])
def test_members_of_newer_and_older_nodes(*, old: bool) -> None:
    async def story(world: World, client: Aether) -> None:
        membership = await client.membership()
        assert set(membership.members) == {"node-1", "node-2", "node-3"}
        assert membership.quorum is True
        assert all(membership.on_duty(each) for each in membership.members)
        assert membership.drains is not old
        assert await client.identify("10.0.0.3") == "node-2"
        assert await client.identify("10.0.0.99") == ""
        assert await client.ready("10.0.0.3")
        assert not await client.ready("10.0.0.99")
        assert await client.thresholds() == Thresholds()
        assert set(await client.loads()) == {"node-1", "node-2", "node-3"}
        assert membership.leader_id == "node-1"
        if old:
            with pytest.raises(AetherUnsupported):
                await client.drain("node-2")
            before = len(world.aether.requests)
            await client.loads()
            assert [path for path in world.aether.requests[before:] if "/api/" in path][1:] == []

    play(story, old=old)


def test_a_drain_and_the_way_back_are_safe_to_repeat() -> None:
    async def story(world: World, client: Aether) -> None:
        assert await client.drain("node-2") is Lifecycle.DRAINING
        assert await client.drain("node-2") is Lifecycle.DRAINING, "success: false, and so all the same"
        await world.calendar.sleep(60)
        assert await client.drain("node-2") is Lifecycle.DECOMMISSIONED
        assert not (await client.membership()).on_duty("node-2")
        assert await client.activate("node-2") is Lifecycle.ON_DUTY
        with pytest.raises(
            AetherRefused, match="node-2 does not shutdown from ON_DUTY: cannot shutdown from ON_DUTY"
        ):
            await client.shutdown("node-2")
        world.aether.refuses.add("i-0002")
        with pytest.raises(AetherRefused, match="node-2 does not drain from ON_DUTY: cannot drain"):
            await client.drain("node-2")

    play(story)


def test_nodes_that_are_silent_are_passed_over_and_asked_last_the_next_time() -> None:
    async def story(world: World, client: Aether) -> None:
        world.aether.silent = {"i-0001", "i-0002"}
        assert len((await client.membership()).members) == 3
        seen = []
        original = world.aether.handle
        client._client._transport = httpx.MockTransport(  # noqa: SLF001 - who is asked
            lambda request: seen.append(request.url.host) or original(request)  # type: ignore[func-returns-value]
        )
        await client.loads()
        assert seen == ["10.0.0.4"]
        client.reach(ADDRESSES)
        await client.loads()
        assert seen == ["10.0.0.4"] * 2
        world.aether.silent = {"*"}
        with pytest.raises(AetherUnavailable, match=r"no node answers GET /nodes: 10\.0\.0\.4: connection"):
            await client.membership()

    play(story)


def test_keys() -> None:
    async def right(_world: World, client: Aether) -> None:
        assert len((await client.membership()).members) == 3

    async def wrong(_world: World, client: Aether) -> None:
        with pytest.raises(AetherDenied, match=r"GET /api/nodes: the API key is refused \(401\)"):
            await client.membership()
        assert await client.identify("10.0.0.2") == "node-1", "health is public"

    async def none(_world: World, client: Aether) -> None:
        with pytest.raises(AetherDenied, match="an API key is needed"):
            await client.membership()

    play(right, key="secret", api_key="secret")
    play(wrong, key="other", api_key="secret")
    play(none, api_key="secret")


@pytest.mark.parametrize(
    "answer",
    [
        "not json",
        (500, {"error": "x"}),
        (503, {"error": "x"}),
        {"error": "odd"},
        {"nodes": []},
        [],
        httpx.ReadTimeout("slow"),
        "null",
    ],
)
def test_an_answer_that_makes_no_sense_is_no_empty_cluster(answer: Any) -> None:
    client = answering({"/api/nodes": answer})
    with pytest.raises(AetherUnavailable):
        asyncio.run(client.membership())


def test_one_bad_node_is_passed_over() -> None:
    good = {"nodes": [{"nodeId": "n", "role": "WORKER", "isLeader": True}]}
    client = answering(
        {"10.0.0.2/api/nodes": "<html>", "10.0.0.3/api/nodes": good, "/api/status": {}, "/health": {}},
        ("10.0.0.2", "10.0.0.3"),
    )
    membership = asyncio.run(client.membership())
    assert membership.leader_id == "n"
    assert membership.quorum is None
    assert membership.members["n"].role is NodeRole.WORKER


def test_no_address_yet() -> None:
    client = answering({}, ())
    with pytest.raises(AetherUnavailable, match="no node has an address yet"):
        asyncio.run(client.loads())


def test_a_file_of_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or directory"):
        Aether(AetherOptions(https=True, ca_file=tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").write_text("nonsense", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be used"):
        Aether(AetherOptions(https=True, ca_file=tmp_path / "ca.pem"))


def test_nodes_that_speak_tls(tmp_path: Path) -> None:
    key, certificate = _certificate(tmp_path)

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            body = b'{"status":"UP","nodeId":"node-1"}'
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        trusting = Aether(AetherOptions(port=port, https=True, ca_file=certificate))
        assert await trusting.identify("127.0.0.1") == "node-1"
        wary = Aether(AetherOptions(port=port, https=True))
        assert await wary.identify("127.0.0.1") == ""
        await trusting.close()
        await wary.close()
        server.close()

    asyncio.run(main())


def _certificate(folder: Path) -> tuple[Path, Path]:
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "node")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "key.pem", folder / "certificate.pem"
    paths[0].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    paths[1].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return paths


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"nodes": ["a", "b"]}, [Member(id="a"), Member(id="b")]),
        (["a"], [Member(id="a")]),
        ({"nodes": [{"id": "a", "address": "x", "status": "CONNECTED"}]}, [Member(id="a")]),
        ({"nodes": [{"nodeId": "a", "role": "QUEEN"}, {"no": "id"}, 7]}, [Member(id="a")]),
        ({"nodes": {"a": 1}}, []),
        (None, []),
        (7, []),
    ],
)
def test_lists_of_nodes(answer: Any, expected: list[Member]) -> None:
    assert shapes.members(answer) == expected


def test_other_shapes() -> None:
    assert shapes.lifecycles([{"nodeId": "a", "state": "ON_DUTY"}, {"nodeId": "b", "state": "NEW"}, 3]) == {
        "a": Lifecycle.ON_DUTY
    }
    assert shapes.leader({"cluster": {"leaderId": "a"}, "leader": "b"}) == "a"
    assert shapes.leader({"node": "c", "status": "LEADER"}) == "c"
    assert shapes.leader({"node": "c", "status": "FOLLOWER"}) == ""
    assert shapes.quorum({"components": [{"name": "quorum", "status": "DOWN"}]}) is False
    assert shapes.quorum({"quorum": "yes"}) is None
    assert shapes.loads([{"nodeId": "a", "cpuUsage": -1, "heapUsedMb": 1, "heapMaxMb": 0}]) == {"a": Load()}
    assert shapes.loads([{"nodeId": "a", "cpuUsage": 1.7}])["a"].cpu == 1.0
    assert shapes.loads({"load": {"a": {"cpu.usage": 0.5}, "b": 3}}) == {"a": Load(cpu=0.5)}
    assert shapes.loads({"load": {"a": {"cpu.usage": float("nan")}}}) == {"a": Load()}
    assert shapes.calls_per_second({"metrics": {"requestsPerSecond": 12}}) == 12
    assert shapes.calls_per_second({"metrics": []}) is None
    assert shapes.thresholds({"cpuScaleUpThreshold": 0.1}) == Thresholds(cpu_up=0.1, cpu_down=0.05)
    assert shapes.thresholds({"cpuScaleUpThreshold": 0, "cpuScaleDownThreshold": True}) == Thresholds()
    assert shapes.thresholds("x") == Thresholds()
    assert shapes.refusal({"success": False}) == "it says success: false, and no more"
    assert shapes.refusal({"success": True, "message": "x"}) == ""
    assert not shapes.ready([])
