"""What a configuration presupposes in moto, and what a second plan may find there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def managed(state: dict[str, Any]) -> set[str]:
    """Addresses of the resources in a state, without data sources."""
    resources = state.get("values", {}).get("root_module", {}).get("resources", [])
    return {resource["address"] for resource in resources if resource["mode"] == "managed"}


def explained(
    plan: dict[str, Any], forgets: list[dict[str, str]]
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Attributes that a second plan would change without a reason, and reasons without such an attribute."""
    reasons = {(gap["type"], gap["attribute"]) for gap in forgets}
    planned = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
    found = {change["address"]: (change["type"], differences(change["change"])) for change in planned}
    met = {(kind, attribute) for kind, attributes in found.values() for attribute in attributes}
    kinds = {kind for kind, _ in found.values()}
    unexplained = {
        address: sorted(attribute for attribute in attributes if (kind, attribute) not in reasons)
        for address, (kind, attributes) in found.items()
    }
    unused = sorted(gap for gap in reasons - met if gap[0] in kinds)
    return {address: names for address, names in unexplained.items() if names}, unused


def differences(change: dict[str, Any]) -> set[str]:
    """Attributes that a change is about; of a replacement not those that only follow from it."""
    if change["actions"] == ["no-op"]:
        return set()
    before, after, unknown = change["before"] or {}, change["after"] or {}, change["after_unknown"] or {}
    differing = {
        name
        for name in before.keys() | after.keys() | unknown.keys()
        if holds_true(unknown.get(name)) or before.get(name) != after.get(name)
    }
    if {"create", "delete"} <= set(change["actions"]):
        differing = {path[0] for path in change.get("replace_paths") or []} or differing
    return differing or {"(everything)"}


def holds_true(value: Any) -> bool:
    """Whether a value is true or has something true in it: how a plan marks what it does not know yet."""
    if isinstance(value, dict | list):
        return any(holds_true(item) for item in (value.values() if isinstance(value, dict) else value))
    return value is True


def unprotected(text: str) -> str:
    """The configuration without deletion protection, as an operator sets it before a destroy."""
    if "protect = true" in text:
        return text.replace("protect = true", "protect = false")
    if "protect = false" in text:
        return text
    return (
        text.replace("[cloud]\n", "[cloud]\nprotect = false\n")
        if "[cloud]\n" in text
        else f"[cloud]\nprotect = false\n{text}"
    )


def prepared(config: Path, emulator: Any) -> str:
    """The configuration, with what it presupposes made in the emulator and named as the emulator does."""
    text = config.read_text(encoding="utf-8")
    aws = tomllib.loads(text)["cloud"]["aws"]
    ec2 = emulator.client("ec2", aws.get("region", "us-west-2"))
    for old, new in [
        *network(aws, ec2),
        *zone(text, emulator),
        *firewall(aws, emulator),
        *certificate(aws, emulator),
    ]:
        text = text.replace(old, new)
    return text


def network(aws: dict[str, Any], ec2: Any) -> Iterator[tuple[str, str]]:
    """An existing VPC with its subnets."""
    if "vpc_id" not in aws:
        return
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    yield aws["vpc_id"], vpc
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    for group, names in enumerate([aws["public_subnet_ids"], aws["private_subnet_ids"]]):
        for number, name in enumerate(names):
            block = f"10.77.{16 * group + number}.0/24"
            made = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zones[number])
            yield name, made["Subnet"]["SubnetId"]


def zone(text: str, emulator: Any) -> Iterator[tuple[str, str]]:
    """The hosted zone of the domain."""
    if domain := re.search(r'^domain = "[^".]+\.([^"]+)"', text, re.MULTILINE):
        client = emulator.client("route53", "us-east-1")
        made = client.create_hosted_zone(Name=domain[1], CallerReference="test")["HostedZone"]["Id"]
        if named := re.search(r'^hosted_zone_id = "([^"]+)"', text, re.MULTILINE):
            yield named[1], made.removeprefix("/hostedzone/")


def firewall(aws: dict[str, Any], emulator: Any) -> Iterator[tuple[str, str]]:
    """The web ACL before the load balancer."""
    if arn := aws.get("waf_acl_arn"):
        client = emulator.client("wafv2", aws["region"])
        visibility = {
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "test",
        }
        made = client.create_web_acl(
            Name="test", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility
        )
        yield arn, made["Summary"]["ARN"]


def certificate(aws: dict[str, Any], emulator: Any) -> Iterator[tuple[str, str]]:
    """The certificate of the load balancer."""
    if arn := aws.get("certificate_arn"):
        client = emulator.client("acm", aws["region"])
        yield arn, client.request_certificate(DomainName="aether.example.com")["CertificateArn"]
