"""Each verb, from the request to what has become of the cluster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

Play = Callable[..., None]


def test_a_node_comes_and_goes(play: Play) -> None:
    async def story(stage: Any) -> None:
        answer = await stage.ask("POST", "/nodes", "OPERATOR", json={"zone": "zone-b", "reason": "a sale"})
        operation = answer.json()
        assert answer.headers["Location"] == f"/api/cloud/operations/{operation['id']}"
        assert (operation["kind"], operation["actor"], operation["reason"]) == (
            "create",
            "operator",
            "a sale",
        )
        done = await stage.over(answer)
        assert done["state"] == "succeeded"
        assert [line["step"] for line in done["history"] if line["happening"] == "done"][-1] == "register"
        node = (await stage.ask("GET", f"/nodes/{done['node_id']}", "VIEWER")).json()
        assert (node["zone"], node["phase"], node["target"], node["lifecycle"]) == (
            "zone-b",
            "serving",
            "healthy",
            "ON_DUTY",
        )
        by_aether = (await stage.ask("GET", f"/nodes/{node['aether_id']}")).json()
        assert by_aether["id"] == node["id"]
        listed = (await stage.ask("GET", "/nodes")).json()
        assert [each["id"] for each in listed["nodes"] if each["role"] == "worker"] == [node["id"]]
        assert datetime.fromisoformat(listed["at"]).tzinfo is not None

        gone = await stage.over(await stage.ask("POST", f"/nodes/{node['id']}/terminate", "OPERATOR"))
        assert gone["state"] == "succeeded"
        missing = await stage.ask("GET", f"/nodes/{node['id']}")
        assert missing.status_code == 404
        assert missing.json()["detail"] == f"there is no node {node['id']} in aether"

    play(story)


def test_a_key_makes_it_safe_to_ask_twice(play: Play) -> None:
    async def story(stage: Any) -> None:
        headers = {"Idempotency-Key": "7f1c2d0e"}
        first = await stage.ask("POST", "/nodes", json={"zone": "zone-a"}, headers=headers)
        again = await stage.ask("POST", "/nodes", json={"zone": "zone-a"}, headers=headers)
        assert first.json()["id"] == again.json()["id"]
        other = await stage.ask("POST", "/nodes", json={"zone": "zone-b"}, headers=headers)
        assert other.status_code == 422
        assert other.json()["type"] == "urn:aether-infra:problem:idempotency-key-reused"
        assert other.json()["operation"] == first.json()["id"]
        bad = await stage.ask("POST", "/nodes", headers={"Idempotency-Key": "x" * 201})
        assert bad.status_code == 422
        assert bad.json()["errors"][0]["path"] == "Idempotency-Key"
        await stage.over(first)
        assert len(stage.world.cloud.alive()) == 1

    play(story)


def test_a_core_node_goes_only_when_it_is_meant_and_a_quorum_remains(play: Play) -> None:
    async def story(stage: Any) -> None:
        plain = await stage.ask("POST", "/nodes/i-0002/terminate")
        assert plain.status_code == 409
        assert plain.json()["type"] == "urn:aether-infra:problem:refused"
        mixed = await stage.ask("POST", "/nodes/i-0002/terminate", json={"core": True, "force": True})
        assert mixed.status_code == 422
        done = await stage.over(await stage.ask("POST", "/nodes/i-0002/terminate", json={"core": True}))
        assert done["state"] == "succeeded"
        second = await stage.ask("POST", "/nodes/i-0003/terminate", json={"core": True})
        assert second.status_code == 409
        assert "majority" in second.json()["detail"]
        assert "2" in second.json()["detail"]

    play(story)


def test_targets(play: Play) -> None:
    async def story(stage: Any) -> None:
        targets = (await stage.ask("GET", "/targets", "VIEWER")).json()["targets"]
        assert [each["id"] for each in targets] == ["i-0001", "i-0002", "i-0003"]
        node = (await stage.over(await stage.ask("POST", "/nodes")))["node_id"]
        assert (await stage.over(await stage.ask("DELETE", f"/targets/{node}")))["state"] == "succeeded"
        assert node not in str((await stage.ask("GET", "/targets")).json())
        assert (await stage.over(await stage.ask("PUT", f"/targets/{node}")))["state"] == "succeeded"
        assert node in str((await stage.ask("GET", "/targets")).json())

    play(story)


def test_a_dns_record(play: Play) -> None:
    async def story(stage: Any) -> None:
        body = {"name": "api.aether.example.com", "type": "A", "values": ["10.0.0.7"], "ttl_seconds": 30}
        done = await stage.over(await stage.ask("PUT", "/dns", json=body))
        assert done["state"] == "succeeded"
        assert [record.values for record in stage.world.cloud.records.values()] == [("10.0.0.7",)]

    play(story)


def test_drain_and_activate(play: Play) -> None:
    async def story(stage: Any) -> None:
        node = (await stage.over(await stage.ask("POST", "/nodes")))["node_id"]
        await stage.over(
            await stage.ask("POST", f"/nodes/{node}/drain", "OPERATOR", json={"reason": "look at it"})
        )
        assert (await stage.ask("GET", f"/nodes/{node}")).json()["phase"] == "held"
        await stage.over(await stage.ask("POST", f"/nodes/{node}/activate", "OPERATOR"))
        assert (await stage.ask("GET", f"/nodes/{node}")).json()["phase"] == "serving"

    play(story)


def test_scale(play: Play) -> None:
    async def story(stage: Any) -> None:
        before = (await stage.ask("GET", "/scale", "VIEWER")).json()
        assert (before["mode"], before["count"], before["minimum"], before["maximum"]) == ("auto", None, 0, 9)
        fixed = await stage.ask("PUT", "/scale", "OPERATOR", json={"count": 2})
        assert (fixed.json()["mode"], fixed.json()["count"], fixed.json()["set_by"]) == (
            "fixed",
            2,
            "operator",
        )
        await stage.service.calendar.sleep(200)
        assert len(stage.world.cloud.alive()) == 2
        after = (await stage.ask("GET", "/scale")).json()
        assert (after["desired"], after["serving"]) == (2, 2)
        assert after["reason"]
        decisions = (await stage.ask("GET", "/decisions?limit=5")).json()["decisions"]
        assert decisions[0]["desired"] == 2
        auto = await stage.ask("PUT", "/scale", "OPERATOR", json={"mode": "auto"})
        assert auto.json()["mode"] == "auto"

    play(story)


@pytest.mark.parametrize(
    ("body", "path", "text"),
    [
        (
            {"count": 10},
            None,
            "there may be 0 to 9 elastic nodes (min_nodes 3 and max_nodes 12, less 3 core nodes), got 10",
        ),
        ({"count": -1}, "count", "greater than or equal to 0"),
        ({"cuont": 3}, "cuont", "unknown key"),
        ({"count": "3"}, "count", "valid integer"),
        ({"mode": "auto", "count": 3}, "count", "has no place in mode auto"),
        ({"mode": "fixed"}, "count", "is missing: mode fixed needs it"),
        ({"mode": "automatic"}, "mode", "'auto' or 'fixed'"),
        ([], None, ""),
    ],
)
def test_a_number_or_a_body_that_will_not_do_changes_nothing(
    play: Play, body: Any, path: str | None, text: str
) -> None:
    async def story(stage: Any) -> None:
        answer = await stage.ask("PUT", "/scale", json=body)
        assert answer.status_code == 422, answer.text
        problem = answer.json()
        assert text in problem["detail"]
        if path is not None:
            assert path in [fault["path"] for fault in problem["errors"]]
        if "cuont" in str(body):
            assert problem["errors"][0]["hint"] == 'did you mean "count"?'
        assert (await stage.ask("GET", "/scale")).json()["mode"] == "auto"

    play(story)


def test_every_fault_of_a_body_is_told_at_once(play: Play) -> None:
    async def story(stage: Any) -> None:
        body = {"nmae": "x", "type": "MX", "values": [""], "ttl_seconds": 0}
        problem = (await stage.ask("PUT", "/dns", json=body)).json()
        faults = {fault["path"]: fault for fault in problem["errors"]}
        assert set(faults) == {"name", "nmae", "type", "values.0", "ttl_seconds"}
        assert faults["nmae"]["hint"] == 'did you mean "name"?'
        assert problem["title"] == "The request has 5 faults"
        assert not stage.world.cloud.records

    play(story)


def test_what_is_no_json_and_what_is_too_large(play: Play) -> None:
    async def story(stage: Any) -> None:
        headers = {"content-type": "application/json"}
        bad = await stage.ask("POST", "/nodes", content=b"{", headers=headers)
        assert bad.status_code == 422
        assert "json" in bad.json()["detail"].lower()
        large = await stage.ask("POST", "/nodes", content=b" " * 70_000, headers=headers)
        assert large.status_code == 413
        assert large.headers["content-type"] == "application/problem+json"

    play(story)


def test_unknown_paths_methods_and_operations_are_problems(play: Play) -> None:
    async def story(stage: Any) -> None:
        for method, path, status in (
            ("GET", "/nothing", 404),
            ("PATCH", "/scale", 405),
            ("GET", "/operations/op-00000000000000000000", 404),
            ("GET", "/operations/op-x", 422),
            ("GET", "/operations/op-00000000000000000000/events", 404),
            ("POST", "/nodes/i-9999/terminate", 404),
        ):
            answer = await stage.ask(method, path)
            assert answer.status_code == status, (path, answer.text)
            problem = answer.json()
            assert problem["status"] == status
            assert problem["type"].startswith("urn:aether-infra:problem:")
            assert problem["instance"] == f"/api/cloud{path}"

    play(story)


def test_plans_say_what_would_be_done_and_do_nothing(play: Play) -> None:
    async def story(stage: Any) -> None:
        for body, allowed in (
            ({"kind": "create"}, True),
            ({"kind": "create", "zone": "zone-c"}, True),
            ({"kind": "terminate", "node_id": "i-0001"}, False),
            ({"kind": "terminate", "node_id": "i-0002", "core": True}, True),
            ({"kind": "drain", "node_id": "i-9999"}, False),
            ({"kind": "register", "node_id": "i-0001"}, True),
            ({"kind": "dns", "record": {"name": "a.example.com", "type": "A", "values": []}}, True),
            ({"kind": "scale", "count": 4}, True),
            ({"kind": "scale", "count": 400}, False),
            ({"kind": "scale", "mode": "auto"}, True),
        ):
            answer = await stage.ask("POST", "/plan", "VIEWER", json=body)
            assert answer.status_code == 200, answer.text
            plan = answer.json()
            assert plan["allowed"] is allowed, plan
            assert plan["steps"] or not allowed or body["kind"] == "scale"
            assert plan["findings"] or allowed
        bad = await stage.ask("POST", "/plan", json={"kind": "terminat", "node_id": "x"})
        assert bad.status_code == 422
        assert "terminate" in bad.json()["detail"]
        assert not await stage.service.engine.operations()
        assert not stage.world.cloud.alive()

    play(story)


def test_operations_are_listed_page_by_page_and_can_be_cancelled(play: Play) -> None:
    async def story(stage: Any) -> None:
        ids = []
        for _ in range(5):
            ids.append((await stage.ask("POST", "/nodes")).json()["id"])
            await stage.service.calendar.sleep(0.001)
        first = (await stage.ask("GET", "/operations?limit=2")).json()
        second = (await stage.ask("GET", f"/operations?limit=2&before={first['next']}")).json()
        third = (await stage.ask("GET", f"/operations?limit=2&before={second['next']}")).json()
        seen = [each["id"] for page in (first, second, third) for each in page["operations"]]
        assert seen == ids[::-1]
        assert third["next"] is None
        cancelled = await stage.ask("POST", f"/operations/{ids[0]}/cancel", "OPERATOR")
        assert cancelled.status_code == 202
        done = await stage.over(cancelled)
        assert done["state"] == "cancelled"
        late = await stage.ask("POST", f"/operations/{ids[0]}/cancel")
        assert late.status_code == 409
        assert late.json()["type"] == "urn:aether-infra:problem:too-late"
        only = (await stage.ask("GET", "/operations?state=cancelled&kind=create")).json()["operations"]
        assert [each["id"] for each in only] == [ids[0]]

    play(story)


def test_events_of_an_operation_come_in_order_until_it_is_over(play: Play) -> None:
    async def story(stage: Any) -> None:
        operation = (await stage.ask("POST", "/nodes")).json()["id"]
        answer = await stage.ask("GET", f"/operations/{operation}/events", "VIEWER")
        assert answer.headers["content-type"].startswith("text/event-stream")
        blocks = [block for block in answer.text.split("\n\n") if "data: " in block]
        ids = [int(line[4:]) for block in blocks for line in block.splitlines() if line.startswith("id: ")]
        assert ids == sorted(set(ids))
        assert blocks[-1].startswith("event: over")
        again = await stage.ask(
            "GET", f"/operations/{operation}/events", headers={"Last-Event-ID": str(ids[-3])}
        )
        rest = [int(line[4:]) for line in again.text.splitlines() if line.startswith("id: ")]
        assert rest == ids[-2:], "nothing twice, nothing missed"

    play(story)


def test_health_needs_no_key_and_metrics_do(play: Play) -> None:
    async def story(stage: Any) -> None:
        assert (await stage.ask("GET", "/health/live", "")).json() == {"status": "UP", "detail": "alive"}
        ready = await stage.ask("GET", "/health/ready", "")
        assert (ready.status_code, ready.json()["status"]) == (200, "UP")
        assert (await stage.ask("GET", "/metrics", "")).status_code == 401
        await stage.service.calendar.sleep(30)
        text = (await stage.ask("GET", "/metrics", "VIEWER")).text
        for line in (
            'aether_nodes{phase="serving",role="core"} 3.0',
            "aether_quorum 1.0",
            "aether_infra_leader 1.0",
            "aether_elastic_nodes_desired 0.0",
            'aether_infra_http_requests_total{method="GET",route="/metrics",status="401"} 1.0',
        ):
            assert line in text, line
        await stage.service.stop()
        down = await stage.ask("GET", "/health/ready", "")
        assert (down.status_code, down.json()["status"]) == (503, "DOWN")

    play(story)


def test_the_audit_log_says_who_did_what_with_what_result(play: Play) -> None:
    async def story(stage: Any) -> None:
        await stage.ask("PUT", "/scale", "OPERATOR", json={"count": 99})
        await stage.ask("POST", "/nodes", "ADMIN")
        entries = (await stage.ask("GET", "/audit?limit=10")).json()["entries"]
        told = {(each["actor"], each["action"], each["result"]) for each in entries}
        assert ("operator", "set desired", "refused") in told
        assert ("admin", "submit create", "accepted") in told
        newest = entries[0]["sequence"]
        older = (await stage.ask("GET", f"/audit?before={newest}")).json()["entries"]
        assert all(each["sequence"] < newest for each in older)

    play(story)


def test_pages_are_served_with_headers_that_keep_them_to_themselves(play: Play) -> None:
    async def story(stage: Any) -> None:
        for path in ("/", "/dashboard.js", "/dashboard.css"):
            answer = await stage.ask("GET", path, "")
            assert answer.status_code == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")

    play(story)
