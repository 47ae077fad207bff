"""AWS: what runs the nodes: Fargate services, EC2 instances, or EKS."""

from __future__ import annotations

from collections.abc import Iterator

from aether_infra.diagram.document import Resource, decoded
from aether_infra.diagram.model import API, MACHINES, MANAGER, NODES, Cluster, Kind, Node, Part, Pool
from aether_infra.diagram.readers.sketch import MANAGED, Sketch, bounds, is_worker, listed, nested, node_id

FARGATE_UNIT = 1024
"""CPU units of one virtual CPU, and MiB of one GiB."""


def read(sketch: Sketch) -> None:
    """Read nodes and what runs them."""
    if sketch.documents.of("aws_ecs_service"):
        sketch.compute = "Fargate"
        _fargate(sketch)
    if sketch.documents.of("aws_instance"):
        sketch.compute = "EC2"
        _ec2(sketch)
        used = [
            each
            for group in sketch.documents.of("aws_autoscaling_group")
            for each in _template(sketch, group)
        ]
        sketch.spare = [each for each in sketch.documents.of("aws_launch_template") if each not in used]
    if sketch.documents.of("aws_eks_cluster"):
        sketch.compute = "EKS"
        _eks(sketch)
    _group(sketch)


def _fargate(sketch: Sketch) -> None:
    scaled = {
        service.address: target
        for target in sketch.documents.of("aws_appautoscaling_target")
        for service in sketch.documents.mentions(target.get("resource_id"))
    }
    for service in sketch.documents.of("aws_ecs_service"):
        task = sketch.documents.follow(service.get("task_definition"))
        sources = (service, *((task,) if task else ()))
        own = NODES if is_worker(service) or sketch.is_core(service) else MANAGER
        sketch.protect(service.get("network_configuration", "security_groups"), own)
        target = scaled.get(service.address)
        if target is not None:
            spot = any(
                "SPOT" in str(each)
                for each in nested(service.get("capacity_provider_strategy"), "capacity_provider")
            )
            policies = [
                policy
                for policy in sketch.documents.of("aws_appautoscaling_policy")
                if target in sketch.documents.mentions(policy.get("resource_id"))
            ]
            sketch.elastic = Part(
                key="elastic",
                kind=Kind.ELASTIC,
                name=bounds(target.get("min_capacity"), target.get("max_capacity"), "elastic nodes"),
                facts=(_size(task), _fargate_scaling(policies), "spot capacity" if spot else ""),
                sources=(*sources, target, *policies),
            )
            continue
        registry = sketch.documents.follow(service.get("service_registries", "registry_arn"))
        if is_worker(service):
            low, high = sketch.elastic_bounds() or (0, service.get("desired_count", default=0))
            sketch.elastic = Part(
                key="elastic",
                kind=Kind.ELASTIC,
                name=bounds(low, high, "elastic nodes"),
                facts=(_size(task), MANAGED),
                sources=sources,
            )
            continue
        if not sketch.is_core(service):
            _manager(sketch, service, task, registry)
            continue
        subnet = sketch.subnet(service.get("network_configuration", "subnets", 0))
        name = node_id(service) or str(registry.get("name") if registry else service.get("name"))
        access_points = [
            each
            for each in sketch.documents.mentions(task.arguments if task else None)
            if each.type == "aws_efs_access_point"
        ]
        sketch.nodes.append(
            Node(
                key=f"node/{name}",
                kind=Kind.NODE,
                name=name,
                facts=tuple(fact for fact in (_size(task), "data on EFS" if access_points else "") if fact),
                sources=(*sources, *((registry,) if registry else ()), *access_points),
                zone=subnet.zone if subnet else None,
                subnet=subnet.key if subnet else None,
            )
        )


def _manager(sketch: Sketch, service: Resource, task: Resource | None, registry: Resource | None) -> None:
    """The runtime manager with its journal: a file system that nothing else uses."""
    points = [
        each
        for each in sketch.documents.mentions(task.arguments if task else None)
        if each.type == "aws_efs_access_point"
    ]
    systems = [each for point in points for each in sketch.documents.mentions(point.get("file_system_id"))]
    targets = [
        each
        for each in sketch.documents.of("aws_efs_mount_target", "aws_efs_backup_policy")
        if set(systems) & set(sketch.documents.mentions(each.get("file_system_id")))
    ]
    groups = [group for each in targets for group in sketch.protect(each.get("security_groups"), MANAGER)]
    groups += sketch.protect(service.get("network_configuration", "security_groups"), MANAGER)
    found = (service, task, registry, *points, *systems, *targets, *groups)
    sketch.manage(
        dict.fromkeys(each for each in found if each), _size(task), "journal on EFS" if systems else ""
    )


def _fargate_scaling(policies: list[Resource]) -> str:
    targets = [
        policy.get("target_tracking_scaling_policy_configuration", "target_value") for policy in policies
    ]
    return f"mean CPU {targets[0]} %" if targets and targets[0] is not None else ""


def _size(task: Resource | None) -> str:
    """Such as `2 vCPU, 4 GiB`."""
    if task is None or not task.get("cpu"):
        return ""
    return f"{int(task.get('cpu')) / FARGATE_UNIT:g} vCPU, {int(task.get('memory')) / FARGATE_UNIT:g} GiB"


def _ec2(sketch: Sketch) -> None:
    volumes = {
        instance.address: [*sketch.documents.mentions(attachment.get("volume_id")), attachment]
        for attachment in sketch.documents.of("aws_volume_attachment")
        for instance in sketch.documents.mentions(attachment.get("instance_id"))
    }
    for instance in sketch.documents.of("aws_instance"):
        sketch.protect(instance.get("vpc_security_group_ids"), NODES)
        subnet = sketch.subnet(instance.get("subnet_id"))
        disks = volumes.get(instance.address, [])
        names = [
            each
            for each in sketch.documents.of("aws_service_discovery_instance")
            if instance in sketch.documents.mentions(each.get("attributes"))
        ]
        name = node_id(instance) or instance.name
        facts = (str(instance.get("instance_type", default="")), *_disk(disks))
        sketch.nodes.append(
            Node(
                key=f"node/{name}",
                kind=Kind.NODE,
                name=name,
                facts=facts,
                sources=(instance, *disks, *names),
                zone=subnet.zone if subnet else None,
                subnet=subnet.key if subnet else None,
            )
        )
    for group in sketch.documents.of("aws_autoscaling_group"):
        template = sketch.documents.follow(group.get("launch_template", "id"))
        policies = [
            policy
            for policy in sketch.documents.of("aws_autoscaling_policy")
            if group in sketch.documents.mentions(policy.get("autoscaling_group_name"))
        ]
        targets = [policy.get("target_tracking_configuration", "target_value") for policy in policies]
        spot = template is not None and template.get("instance_market_options", "market_type") == "spot"
        sketch.elastic = Part(
            key="elastic",
            kind=Kind.ELASTIC,
            name=bounds(group.get("min_size"), group.get("max_size"), "elastic nodes"),
            facts=(
                str(template.get("instance_type", default="")) if template else "",
                f"mean CPU {targets[0]} %" if targets and targets[0] is not None else "",
                "spot capacity" if spot else "",
            ),
            sources=(
                group,
                *((template,) if template else ()),
                *policies,
                *sketch.documents.of("aws_autoscaling_group_tag"),
            ),
        )


def _template(sketch: Sketch, group: Resource) -> list[Resource]:
    return sketch.documents.mentions(group.get("launch_template"))


def _disk(found: list[Resource]) -> Iterator[str]:
    for disk in found:
        if disk.type == "aws_ebs_volume":
            yield f"data disk {disk.get('size')} GiB"


def _eks(sketch: Sketch) -> None:
    cluster = sketch.documents.of("aws_eks_cluster")[0]
    groups = sketch.documents.of("aws_eks_node_group")
    pools = [_pool(sketch, group) for group in groups]
    public = cluster.get("vpc_config", "endpoint_public_access") is True
    services = sketch.documents.text(cluster.get("kubernetes_network_config", "service_ipv4_cidr"))
    addons = sketch.documents.of("aws_eks_addon")
    names = [str(each.get("addon_name")) for each in addons]
    keys = [
        key
        for key in sketch.documents.mentions(cluster.get("encryption_config"))
        if key.type == "aws_kms_key"
    ]
    sketch.firewall[cluster.address] = [API]
    sketch.cluster = Cluster(
        key="cluster",
        kind=Kind.CLUSTER,
        name=f"EKS cluster {cluster.get('name')}",
        facts=(f"services {services}",) if services else (),
        sources=(cluster,),
        api=Part(
            key=API,
            kind=Kind.API,
            name="Kubernetes API",
            facts=(
                "public and private address" if public else "private address only",
                *(("secrets encrypted",) if keys else ()),
            ),
            sources=(
                cluster,
                *sketch.documents.of("aws_eks_access_entry", "aws_eks_access_policy_association"),
            ),
        ),
        pools=tuple(pools),
        add_ons=(
            Part(
                key="add-ons",
                kind=Kind.OTHER,
                name=f"{len(addons)} add-ons",
                facts=(listed(names, 12),),
                sources=tuple(addons),
            ),
        )
        if addons
        else (),
    )


def _pool(sketch: Sketch, group: Resource) -> Pool:
    template = sketch.documents.follow(group.get("launch_template", "id"))
    if template is not None:
        sketch.protect(template.get("network_interfaces"), MACHINES)
    subnets = [sketch.subnet(value) for value in group.get("subnet_ids", default=[])]
    zones = [subnet.zone for subnet in subnets if subnet and subnet.zone]
    labels = dict(group.get("labels", default={}))
    name = str(labels.get("aether-pool") or group.name)
    spot = group.get("capacity_type") == "SPOT"
    size = bounds(
        group.get("scaling_config", "min_size"), group.get("scaling_config", "max_size"), "machines"
    )
    kind = str(template.get("instance_type", default="")) if template else ""
    return Pool(
        key=f"pool/{name}",
        kind=Kind.POOL,
        name=f"Pool {name}",
        facts=tuple(fact for fact in (size, kind, "spot" if spot else "") if fact),
        sources=(group, *((template,) if template else ())),
        zones=tuple(dict.fromkeys(zones)),
        labels=labels,
        system=name == "system",
    )


def _group(sketch: Sketch) -> None:
    """The security group of the nodes."""
    for group in sketch.documents.of("aws_security_group"):
        if {NODES, MACHINES} & set(sketch.firewall.get(group.address, [])):
            sketch.group = Part(
                key=NODES,
                kind=Kind.FIREWALL,
                name=f"Security group {group.get('name')}",
                sources=(group,),
            )


def secrets(sketch: Sketch) -> list[str]:
    """Names of the environment variables that containers get from a secret store; never a value."""
    found = []
    for task in sketch.documents.of("aws_ecs_task_definition"):
        for container in decoded(task.get("container_definitions")) or []:
            found += [str(each.get("name")) for each in container.get("secrets") or []]
    return list(dict.fromkeys(found))
