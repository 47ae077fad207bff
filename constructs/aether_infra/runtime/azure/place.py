"""What the manager takes from the settings, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from aether_infra.errors import ConfigError, Problem
from aether_infra.runtime.draining import DRAIN_SECONDS
from aether_infra.runtime.settings import RuntimeSettings


@frozen(kw_only=True)
class Place:
    """Where machines are made, and what of."""

    subscription_id: str
    """Subscription."""
    resource_group: str
    """Resource group of everything."""
    location: str
    """Location."""
    zones: Sequence[str]
    """Zones to spread over; none in a location without zones."""
    subnet_id: str
    """Subnet of the nodes."""
    template: Mapping[str, Any]
    """What a machine is made of: `machine_template` of the settings."""
    backend_pool_id: str = ""
    """Backend pool of the load balancer; empty where there is none."""
    drain_seconds: float = field(default=DRAIN_SECONDS)
    """How long open requests may finish."""

    @classmethod
    def of(cls, settings: RuntimeSettings) -> Place:
        """What the settings say of it.

        Raises:
            ConfigError: something is missing; names all of it.
        """
        facts = settings.facts
        found = facts.get("machine_template")
        template: Mapping[str, Any] = found if isinstance(found, dict) else {}
        missing = [
            f"runtime.{key}"
            for key in ("subscription_id", "resource_group", "subnet_ids")
            if not facts.get(key)
        ]
        wanted = ("vm_size", "admin_username", "ssh_public_key", "custom_data")
        missing += [f"runtime.machine_template.{key}" for key in wanted if not template.get(key)]
        if not (template.get("image") or template.get("image_id")):
            missing.append("runtime.machine_template.image")
        hint = "set [cloud.manager] enabled = true, and deploy"
        if missing:
            raise ConfigError(
                [
                    Problem(path=path, message="is missing", hint=hint if "template" in path else "")
                    for path in missing
                ],
                "outputs.json",
            )
        return cls(
            subscription_id=str(facts["subscription_id"]),
            resource_group=str(facts["resource_group"]),
            location=settings.region,
            zones=tuple(str(zone) for zone in facts.get("zones") or ()),
            subnet_id=str(facts["subnet_ids"][0]),
            template=template,
            backend_pool_id=str(facts.get("backend_pool_id") or ""),
            drain_seconds=float(facts.get("drain_seconds", DRAIN_SECONDS)),
        )

    def machine(
        self, name: str, zone: str | None, tags: Mapping[str, str], size: str | None, *, spot: bool | None
    ) -> dict[str, Any]:
        """A machine as Azure Resource Manager wants it: its interface and its disk come and go with it.

        Args:
            name: its name, and its host name.
            zone: its zone; None for a location without zones.
            tags: its tags.
            size: its size; None for the template's.
            spot: whether Azure may take it back; None for as the template says.

        Source: https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/create-or-update (as of 2026-11).
        """
        given = self.template
        disk = given.get("os_disk") or {}
        encryption = disk.get("encryption_set_id")
        groups = [{"id": each} for each in given.get("application_security_group_ids") or ()]
        guard = given.get("network_security_group_id")
        takes_back = bool(given.get("spot")) if spot is None else spot
        managed = {"storageAccountType": disk.get("type", "Premium_LRS")}
        address = {
            "name": "internal",
            "properties": {
                "primary": True,
                "subnet": {"id": self.subnet_id},
                "privateIPAddressVersion": "IPv4",
                **({"applicationSecurityGroups": groups} if groups else {}),
            },
        }
        interface = {
            "name": name,
            "properties": {
                "primary": True,
                "deleteOption": "Delete",
                "ipConfigurations": [address],
                **({"networkSecurityGroup": {"id": guard}} if guard else {}),
            },
            "tags": dict(tags),
        }
        key = {
            "path": f"/home/{given['admin_username']}/.ssh/authorized_keys",
            "keyData": given["ssh_public_key"],
        }
        identity = given.get("identity_id")
        return {
            "location": self.location,
            "tags": dict(tags),
            **({"zones": [zone]} if zone else {}),
            **(
                {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}}
                if identity
                else {}
            ),
            "properties": {
                "hardwareProfile": {"vmSize": size or given["vm_size"]},
                "storageProfile": {
                    "imageReference": {"id": given["image_id"]}
                    if given.get("image_id")
                    else dict(given["image"]),
                    "osDisk": {
                        "createOption": "FromImage",
                        "deleteOption": "Delete",
                        "managedDisk": managed
                        | ({"diskEncryptionSet": {"id": encryption}} if encryption else {}),
                        **({"diskSizeGB": disk["size_gib"]} if disk.get("size_gib") else {}),
                    },
                },
                "osProfile": {
                    "computerName": name,
                    "adminUsername": given["admin_username"],
                    "customData": given["custom_data"],
                    "linuxConfiguration": {
                        "disablePasswordAuthentication": True,
                        "ssh": {"publicKeys": [key]},
                    },
                },
                "networkProfile": {
                    "networkApiVersion": "2022-11-01",
                    "networkInterfaceConfigurations": [interface],
                },
                **({"securityProfile": dict(given["security"])} if given.get("security") else {}),
                **({"priority": "Spot", "evictionPolicy": "Delete"} if takes_back else {}),
            },
        }
