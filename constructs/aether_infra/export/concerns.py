"""Which file of a module a resource belongs into: its construct's path tells, or its name where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from aether_infra.export.document import Element

MAIN: Final = "main.tf"
"""File of what belongs nowhere else."""
PROVIDERS: Final = "providers.tf"
OUTPUTS: Final = "outputs.tf"

CONCERNS: Final[Mapping[str, str]] = {
    "rollout.tf": "rollout",
    "logs.tf": "logs alarms monitoring insights",
    "add_ons.tf": "addons addon metrics autoscaler",
    "registry.tf": "registry pull",
    "identity.tf": "identity rights group workload account kubelet deployer keys control",
    "dns.tf": "alias zone record certificate tls discovery",
    "load_balancer.tf": "balancer ingress backend frontend",
    "security.tf": "security firewall allow policy",
    "network.tf": "network address addresses vpc subnet services",
    "storage.tf": "data storage",
    "manager.tf": "manager",
    "compute.tf": "compute cluster pool machines machine elastic core node nodes image peers ssh",
    "settings.tf": "config namespace secrets secret",
}
"""Words in the name of a construct, by file. The first file that has one is taken, of the first name in the path that
has any: what lies below a cluster belongs to the cluster."""

_WORD: Final = re.compile(r"[a-z]+")


def file_of(element: Element) -> str:
    """The file of an element.

    Args:
        element: the element.
    """
    if element.section in _FIXED:
        return _FIXED[element.section]
    for name in (*element.path, element.name if not element.path else ""):
        words = set(_WORD.findall(name.replace("add-ons", "addons")))
        for file, known in CONCERNS.items():
            if words & set(known.split()):
                return file
    return MAIN


_FIXED: Final = {"output": OUTPUTS, "provider": PROVIDERS}
