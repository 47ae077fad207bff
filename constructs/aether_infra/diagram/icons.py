"""Signs of parts: strokes on a field of 20 by 20."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aether_infra.diagram.model import Kind

ICONS: Final[Mapping[Kind, str]] = {
    Kind.USERS: (
        "M7 8.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z"
        "M1.8 16.5c0-3 2.2-5.2 5.2-5.2s5.2 2.2 5.2 5.2M13 3.3a2.6 2.6 0 0 1 0 5"
        "M14.4 11.5c2.3.5 3.8 2.4 3.8 5"
    ),
    Kind.OPERATORS: (
        "M10 8.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM3.8 17c0-3.4 2.7-5.6 6.2-5.6s6.2 2.2 6.2 5.6"
        "M7.2 14.6l2 2 3.6-3.6"
    ),
    Kind.INTERNET: (
        "M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM2 10h16M10 2c5 4.6 5 11.4 0 16M10 2c-5 4.6-5 11.4 0 16"
    ),
    Kind.REGION: (
        "M10 18s5.8-5.3 5.8-9.8a5.8 5.8 0 0 0-11.6 0C4.2 12.7 10 18 10 18Z"
        "M10 10.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z"
    ),
    Kind.NETWORK: (
        "M10 7V3.5M10 7 4.5 13M10 7l5.5 6M10 4.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Z"
        "M2.5 13h4v4h-4zM13.5 13h4v4h-4zM8 6.5h4v3H8z"
    ),
    Kind.SUBNET: "M2.5 5h15v10h-15zM2.5 10h15M10 10v5",
    Kind.ZONE: "M3 17V6l7-3.5L17 6v11M3 17h14M7 17v-6h6v6",
    Kind.NODE: "M10 2l7 4v8l-7 4-7-4V6zM10 10l7-4M10 10v8M10 10 3 6",
    Kind.ELASTIC: "M6 6h11v11H6zM3 14V3h11M11.5 9v5M9 11.5h5",
    Kind.BALANCER: (
        "M2 10h5M7 10l6-6M7 10l6 6M7 10h6M13 4h3.5M13 10h3.5M13 16h3.5M15 2.5 16.7 4 15 5.5"
        "M15 8.5l1.7 1.5-1.7 1.5M15 14.5l1.7 1.5-1.7 1.5"
    ),
    Kind.GATEWAY: "M4 17V3h9v14M2.5 17h12M13 10h5M16 7.5 18.5 10 16 12.5M10.5 10v.1",
    Kind.ENDPOINT: "M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3",
    Kind.NEIGHBOUR: "M2.5 4h7v5h-7zM10.5 11h7v5h-7zM6 9v4.5h4.5",
    Kind.MANAGER: (
        "M10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM10 2v3M10 15v3M2 10h3M15 10h3"
        "M4.3 4.3l2.2 2.2M13.5 13.5l2.2 2.2M15.7 4.3l-2.2 2.2M6.5 13.5l-2.2 2.2"
    ),
    Kind.CLUSTER: (
        "M10 2l6.5 3.2 1.6 7L13.6 18H6.4l-4.5-5.8 1.6-7z"
        "M10 12.4a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8ZM10 7.6V4.5M12 11.3l2.7 1.9"
        "M8 11.3l-2.7 1.9"
    ),
    Kind.API: "M7 5 2.5 10 7 15M13 5l4.5 5-4.5 5M11.3 4 8.7 16",
    Kind.POOL: "M3 3h14v5.5H3zM3 11.5h14V17H3zM6 5.8v.1M6 14.3v.1M9 5.8h5M9 14.3h5",
    Kind.WORKLOAD: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
    Kind.SERVICE: (
        "M10 7a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
        "M4.5 18a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
        "M15.5 18a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM10 7v3.5M4.5 13v-2.5h11V13"
    ),
    Kind.FIREWALL: "M10 2l7 2.5v5c0 4.5-3 7.2-7 8.5-4-1.3-7-4-7-8.5v-5zM7 9.8l2.3 2.3L13.3 8",
    Kind.DNS: "M2.5 9.5V3h6.5l8.5 8.5-6.5 6.5zM6 6.5v.1",
    Kind.CERTIFICATE: (
        "M2.5 3h15v9.5H11M2.5 3v9.5H6M8.5 15a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z"
        "M7 14.5V18l1.5-1 1.5 1v-3.5M6 6.3h8"
    ),
    Kind.REGISTRY: "M10 2l7.5 4v8L10 18l-7.5-4V6zM2.5 6 10 10l7.5-4M10 10v8M6.2 4l7.6 4",
    Kind.STORAGE: (
        "M3.5 5c0-3.2 13-3.2 13 0v10c0 3.2-13 3.2-13 0zM3.5 5c0 3.2 13 3.2 13 0M3.5 10c0 3.2 13 3.2 13 0"
    ),
    Kind.SECRETS: "M4 9h12v8.5H4zM6.5 9V6a3.5 3.5 0 0 1 7 0v3M10 12.5v2",
    Kind.KEY: "M6.5 17.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM9.3 10.7 17 3M13.5 6.5 16 9M15.5 4.5l1.7 1.7",
    Kind.LOGS: "M4 2h9l3.5 3.5V18H4zM7 8h6.5M7 11h6.5M7 14h4.5",
    Kind.ALARMS: (
        "M4 14.5c1.5-1.5 1.5-3 1.5-5.5a4.5 4.5 0 0 1 9 0c0 2.5 0 4 1.5 5.5zM8.5 17a1.7 1.7 0 0 0 3 0M10 2.5v2"
    ),
    Kind.ROLLOUT: "M16.5 10a6.5 6.5 0 1 1-2-4.7M16.5 2.5v4h-4M10 6.5V10l2.5 1.5",
    Kind.OTHER: "M4.5 10v.1M10 10v.1M15.5 10v.1",
}
"""Path of each sign, drawn for this project."""
