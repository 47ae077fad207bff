"""AWS's protocols from the server's side, by the SDK's own descriptions of the services.

A request becomes the arguments that boto3 was called with; an answer is given as boto3 would return it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import botocore.session
from attrs import frozen
from fake_cloud_server import Reply, Request

JSON = {"AmazonEC2ContainerServiceV20141113": "ecs"}
QUERY = {"2016-11-15": "ec2", "2015-12-01": "elbv2"}
"""Service by the version that a request of the query protocol names."""


class Refusal(Exception):  # noqa: N818 - the cloud's, not the test's
    """An answer with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message


@frozen
class Asked:
    """What a request asks."""

    service: str
    operation: str
    arguments: dict[str, Any]


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def asked(request: Request) -> Asked:
    """Read a request."""
    target = request.headers.get("x-amz-target", "")
    if target:
        name, _, operation = target.partition(".")
        return Asked(JSON[name], operation, json.loads(request.body))
    if request.path == "/":
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        service, operation = QUERY[fields.pop("Version")], fields.pop("Action")
        return Asked(service, operation, _from_query(model(service), operation, fields))
    return _from_rest("route53", request)


def answered(question: Asked, answer: Mapping[str, Any]) -> Reply:
    """Write an answer, given as boto3 returns it."""
    service = model(question.service)
    operation = service.operation_model(question.operation)
    protocol, shape = service.metadata["protocol"], operation.output_shape
    if protocol == "json":
        body = json.dumps(answer, default=lambda value: value.timestamp()).encode()
        return Reply(body=body, headers={"Content-Type": "application/x-amz-json-1.1"})
    fields = _fields(shape, answer) if shape else ""
    name = question.operation
    if protocol == "ec2":
        text = f"<{name}Response>{fields}<requestId>r</requestId></{name}Response>"
    elif protocol == "query":
        text = f"<{name}Response><{name}Result>{fields}</{name}Result></{name}Response>"
    else:
        text = f"<{name}Response>{fields}</{name}Response>"
    return Reply(body=text.encode(), headers={"Content-Type": "text/xml"})


def refused(service: str, status: int, code: str, message: str, retry_after: float | None = None) -> Reply:
    """Write an error."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    if service == "ecs":
        body = json.dumps({"__type": code, "message": message}).encode()
        return Reply(
            status=status, body=body, headers={"Content-Type": "application/x-amz-json-1.1", **headers}
        )
    fault = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        text = f"<Response><Errors><Error>{fault}</Error></Errors><RequestID>r</RequestID></Response>"
    else:
        text = f"<ErrorResponse><Error><Type>x</Type>{fault}</Error><RequestId>r</RequestId></ErrorResponse>"
    return Reply(status=status, body=text.encode(), headers={"Content-Type": "text/xml", **headers})


# ------------------------------------------------------------------ requests


def _from_query(service: Any, operation: str, fields: Mapping[str, str]) -> dict[str, Any]:
    shape = service.operation_model(operation).input_shape
    ec2 = service.metadata["protocol"] == "ec2"
    read: dict[str, Any] = _query_value(shape, "", fields, ec2=ec2)
    return read


def _query_value(shape: Any, prefix: str, fields: Mapping[str, str], *, ec2: bool) -> Any:
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            key = _query_name(name, member, ec2=ec2)
            path = f"{prefix}.{key}" if prefix else key
            if any(field == path or field.startswith(f"{path}.") for field in fields):
                found[name] = _query_value(member, path, fields, ec2=ec2)
        return found
    if shape.type_name == "list":
        if not ec2 and not shape.serialization.get("flattened"):
            prefix = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        items = []
        while any(
            f == f"{prefix}.{len(items) + 1}" or f.startswith(f"{prefix}.{len(items) + 1}.") for f in fields
        ):
            items.append(_query_value(shape.member, f"{prefix}.{len(items) + 1}", fields, ec2=ec2))
        return items
    return _scalar(shape, fields[prefix])


def _query_name(name: str, member: Any, *, ec2: bool) -> str:
    if not ec2:
        return str(member.serialization.get("name", name))
    if "queryName" in member.serialization:
        return str(member.serialization["queryName"])
    given = str(member.serialization.get("name", name))
    return given[0].upper() + given[1:]


def _from_rest(service: str, request: Request) -> Asked:
    described = model(service)
    for name in described.operation_names:
        operation = described.operation_model(name)
        if operation.http["method"] != request.method:
            continue
        uri = operation.http["requestUri"].partition("?")[0]
        pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", uri)
        match = re.fullmatch(pattern + "/?", request.path)
        if match:
            return Asked(service, name, _rest_arguments(operation, match.groupdict(), request))
    raise ValueError(f"no operation of {service}: {request.method} {request.path}")


def _rest_arguments(operation: Any, path: Mapping[str, str], request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    root = ET.fromstring(request.body) if request.body else None  # noqa: S314 - our own client's
    for name, member in operation.input_shape.members.items():
        key = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                found[name] = unquote(path[key])
            case "querystring":
                if key in request.query:
                    found[name] = request.query[key]
            case _:
                element = None if root is None else _child(root, key)
                if element is not None:
                    found[name] = _from_xml(member, element)
    return found


def _from_xml(shape: Any, element: Any) -> Any:
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            child = _child(element, member.serialization.get("name", name))
            if child is not None:
                found[name] = _from_xml(member, child)
        return found
    if shape.type_name == "list":
        return [_from_xml(shape.member, child) for child in element]
    return _scalar(shape, element.text or "")


def _child(element: Any, name: str) -> Any:
    return next((child for child in element if child.tag.rpartition("}")[2] == name), None)


def _scalar(shape: Any, text: str) -> Any:
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "boolean":
            return text == "true"
        case "blob":
            return base64.b64decode(text)
    return text


# ------------------------------------------------------------------ answers


def _fields(shape: Any, value: Mapping[str, Any]) -> str:
    return "".join(
        _element(member, member.serialization.get("name", name), value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None and member.serialization.get("location") is None
    )


def _element(shape: Any, name: str, value: Any) -> str:
    if shape.type_name == "structure":
        return f"<{name}>{_fields(shape, value)}</{name}>"
    if shape.type_name == "list":
        flat = shape.serialization.get("flattened")
        item = name if flat else shape.member.serialization.get("name", "member")
        items = "".join(_element(shape.member, item, each) for each in value)
        return items if flat else f"<{name}>{items}</{name}>"
    return f"<{name}>{_text(value)}</{name}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return escape(str(value))
