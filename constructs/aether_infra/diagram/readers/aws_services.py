"""AWS: what stands beside the network: names, images, logs, alarms, keys."""

from __future__ import annotations

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import Gateway, Kind
from aether_infra.diagram.readers.aws_compute import secrets
from aether_infra.diagram.readers.sketch import Sketch, listed, shortened

EFS = "efs"


def data(sketch: Sketch) -> None:
    """Read file systems, which nodes reach through the network."""
    managed = sketch.manager.sources if sketch.manager else ()
    for system in sketch.documents.of("aws_efs_file_system"):
        if system in managed:
            continue
        targets = [
            each
            for each in sketch.documents.of("aws_efs_mount_target", "aws_efs_backup_policy")
            if system in sketch.documents.mentions(each.get("file_system_id"))
        ]
        groups = [group for each in targets for group in sketch.protect(each.get("security_groups"), EFS)]
        kept = "backed up" if any(each.type == "aws_efs_backup_policy" for each in targets) else ""
        facts = ("data of the core nodes", "encrypted" if system.get("encrypted") else "", kept)
        sketch.gateways.append(
            Gateway(
                key=EFS,
                kind=Kind.STORAGE,
                name=f"EFS {system.get('creation_token', default='')}".strip(),
                facts=facts,
                sources=(system, *targets, *dict.fromkeys(groups)),
                outward=False,
            )
        )


def read(sketch: Sketch) -> None:
    """Read the services of the region."""
    documents = sketch.documents
    cluster = str(documents.output("cluster_name") or "")
    certificates = [*documents.of("aws_acm_certificate"), *documents.of("aws_acm_certificate_validation")]
    proofs = [
        record
        for record in documents.of("aws_route53_record")
        if any(each.type == "aws_acm_certificate" for each in documents.mentions(record.arguments))
    ]
    names = [record for record in documents.of("aws_route53_record") if record not in proofs]
    for record in names:
        sketch.add(
            Kind.DNS,
            f"dns/{record.name}",
            documents.text(record.get("name")),
            "Route 53, to the load balancer" if record.get("alias") else "Route 53",
            sources=[record],
        )
    if certificates:
        sketch.add(
            Kind.CERTIFICATE,
            "certificate",
            "Certificate",
            documents.text(certificates[0].get("domain_name")),
            sources=[*certificates, *proofs],
        )
    namespaces = documents.of("aws_service_discovery_private_dns_namespace")
    if namespaces:
        services = documents.of("aws_service_discovery_service")
        sketch.add(
            Kind.DNS,
            "discovery",
            documents.text(namespaces[0].get("name")),
            f"names of {len(sketch.nodes)} core nodes (Cloud Map)",
            sources=[*namespaces, *services],
        )
    for repository in documents.of("aws_ecr_repository"):
        scanned = repository.get("image_scanning_configuration", "scan_on_push")
        sketch.add(
            Kind.REGISTRY,
            "registry",
            f"ECR {repository.get('name')}",
            "immutable tags" if repository.get("image_tag_mutability") == "IMMUTABLE" else "",
            "scanned on push" if scanned else "",
            sources=[repository, *documents.of("aws_ecr_lifecycle_policy")],
        )
    names_of_secrets = secrets(sketch)
    if names_of_secrets:
        sketch.add(
            Kind.SECRETS,
            "secrets",
            "Secrets",
            listed(names_of_secrets, 2),
            sources=documents.of("aws_ecs_task_definition"),
        )
    keys = documents.of("aws_kms_key", "aws_kms_alias")
    if keys:
        alias = documents.first("aws_kms_alias")
        name = str(alias.get("name", default="")).removeprefix("alias/") if alias else ""
        sketch.add(
            Kind.KEY,
            "key",
            f"KMS key {name}".strip(),
            "rotated" if keys[0].get("enable_key_rotation") else "",
            sources=keys,
        )
    _observation(sketch, cluster)
    gates = documents.of("aws_lambda_function")
    if gates:
        sketch.add(
            Kind.ROLLOUT,
            "rollout",
            "Rollout gate (Lambda)",
            "one core node at a time",
            sources=[*gates, *documents.of("aws_lambda_invocation")],
        )
    rollers = documents.of("aws_ssm_association", "aws_ssm_document", "aws_ssm_parameter")
    if rollers:
        sketch.add(
            Kind.ROLLOUT, "rollout", "Rollout (Systems Manager)", "one core node at a time", sources=rollers
        )


def _observation(sketch: Sketch, cluster: str) -> None:
    documents = sketch.documents
    logs = documents.of("aws_cloudwatch_log_group")
    days = {str(each.get("retention_in_days")) for each in logs if each.get("retention_in_days")}
    kept = f"kept {days.pop()} days" if len(days) == 1 else ""
    flows: list[Resource] = documents.of("aws_flow_log")
    sketch.add(
        Kind.LOGS,
        "logs",
        "Logs (CloudWatch)",
        listed([str(each.get("name")).rpartition("/")[2] for each in logs], 3),
        kept,
        sources=[*logs, *flows],
    )
    buckets = documents.of("aws_s3_bucket")
    sketch.add(
        Kind.STORAGE,
        "bucket",
        "Access logs (S3)",
        "of the load balancer, no public access",
        sources=[
            *buckets,
            *(each for each in sketch.documents.everything if each.type.startswith("aws_s3_bucket_")),
        ]
        if buckets
        else [],
    )
    alarms = documents.of("aws_cloudwatch_metric_alarm")
    sketch.add(
        Kind.ALARMS,
        "alarms",
        f"{len(alarms)} alarms (CloudWatch)",
        *shortened([str(each.get("alarm_name")) for each in alarms], cluster),
        sources=alarms,
    )
