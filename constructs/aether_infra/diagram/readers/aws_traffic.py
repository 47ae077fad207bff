"""AWS: load balancers, and what security groups let through."""

from __future__ import annotations

from collections.abc import Iterator

from aether_infra.diagram.document import Resource, blocks
from aether_infra.diagram.model import NEIGHBOURS, Balancer, Kind, Place
from aether_infra.diagram.ports import ports
from aether_infra.diagram.readers.sketch import APPLICATION, HEALTH, MANAGEMENT, Sketch


def balancers(sketch: Sketch) -> None:
    """Read load balancers with their listeners and target groups."""
    for balancer in sketch.documents.of("aws_lb"):
        key = f"balancer/{balancer.name}"
        groups = sketch.protect(balancer.get("security_groups"), key)
        listeners = [
            each
            for each in sketch.documents.of("aws_lb_listener")
            if balancer in sketch.documents.mentions(each.get("load_balancer_arn"))
        ]
        targets = [
            group
            for listener in listeners
            for action in blocks(listener.get("default_action"))
            for group in sketch.documents.mentions(action.get("target_group_arn"))
        ]
        internal = balancer.get("internal") is True
        facts = ["inside of the network" if internal else "internet-facing", *_checks(targets)]
        walls = [
            each
            for each in sketch.documents.of("aws_wafv2_web_acl_association")
            if balancer in sketch.documents.mentions(each.get("resource_arn"))
        ]
        if walls:
            facts.append("behind a web ACL (WAF)")
        attached = [
            each
            for each in sketch.documents.of("aws_lb_target_group_attachment", "aws_autoscaling_attachment")
            if any(
                group in targets
                for group in sketch.documents.mentions(
                    [each.get("target_group_arn"), each.get("lb_target_group_arn")]
                )
            )
        ]
        sketch.balancers.append(
            Balancer(
                key=key,
                kind=Kind.BALANCER,
                name=f"Application load balancer {balancer.get('name')}",
                facts=tuple(facts),
                sources=(balancer, *listeners, *dict.fromkeys(targets), *attached, *groups, *walls),
                place=Place.NETWORK,
                listeners=tuple(_listener(sketch, key, each) for each in listeners),
            )
        )
        for group in dict.fromkeys(targets):
            check = group.get("health_check", "port")
            if str(check).isdecimal():
                sketch.back(key, int(check), HEALTH)


def _checks(targets: list[Resource]) -> Iterator[str]:
    found = {
        f"healthy while GET {group.get('health_check', 'path')} answers on {group.get('health_check', 'port')}"
        for group in targets
        if group.get("health_check", "path")
    }
    yield from sorted(found)


def _listener(sketch: Sketch, key: str, listener: Resource) -> str:
    port, protocol = int(listener.get("port")), listener.get("protocol")
    action = listener.get("default_action", 0, default={})
    if action.get("type") == "redirect":
        sketch.fronts[key, port] = APPLICATION
        redirect = action.get("redirect", {})
        return f"{protocol} {port} → redirect to {redirect.get('protocol')} {redirect.get('port')}"
    group = sketch.documents.follow(action.get("target_group_arn"))
    if group is None:
        return f"{protocol} {port}"
    target = int(group.get("port"))
    role = MANAGEMENT if sketch.roles.get(target) == MANAGEMENT else APPLICATION
    sketch.balance(key, port, target, role)
    return f"{protocol} {port} → {role} {target}"


def rules(sketch: Sketch) -> None:
    """Read the rules of all security groups: who may call whom on which ports."""
    for rule in sketch.documents.of("aws_vpc_security_group_ingress_rule"):
        allowed = ports(rule.get("ip_protocol"), rule.get("from_port"), rule.get("to_port"))
        cidr = sketch.documents.text(rule.get("cidr_ipv4") or rule.get("cidr_ipv6"))
        for target in sketch.protected(rule.get("security_group_id")):
            for source in sketch.protected(rule.get("referenced_security_group_id")):
                sketch.let(source, target, allowed, rule)
            if cidr:
                sketch.let(sketch.outsider(target, allowed), target, allowed, rule, networks=[cidr])
    for rule in sketch.documents.of("aws_vpc_security_group_egress_rule"):
        allowed = ports(rule.get("ip_protocol"), rule.get("from_port"), rule.get("to_port"))
        stated = rule.get("cidr_ipv4") or rule.get("cidr_ipv6")
        cidr = sketch.documents.text(stated)
        for source in sketch.protected(rule.get("security_group_id")):
            for target in sketch.protected(rule.get("referenced_security_group_id")):
                sketch.let(source, target, allowed, rule)
            if cidr:
                sketch.let(source, sketch.outside([cidr]), allowed, rule, networks=[cidr])
            elif stated:  # the range of a network that exists
                sketch.let(source, NEIGHBOURS, allowed, rule)
