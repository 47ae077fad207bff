"""Locks: nobody, not even an owner, deletes what is locked without taking the lock off first."""

from __future__ import annotations

from cdktf_cdktf_provider_azurerm.management_lock import ManagementLock
from constructs import Construct


def lock(scope: Construct, id_: str, resource_id: str, what: str) -> ManagementLock:
    """Lock a resource, and all below it, against deletion.

    So nothing is locked whose parts come and go, such as a cluster with its pools.

    Source: https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/lock-resources (as of 2026-11).

    Args:
        scope: the construct that owns the lock.
        id_: its id below that.
        resource_id: the resource.
        what: what it is, for whoever meets the lock.
    """
    return ManagementLock(
        scope,
        id_,
        name="aether-protect",
        scope=resource_id,
        lock_level="CanNotDelete",
        notes=f"{what} of an Aether cluster; cloud.protect = false takes this lock off",
    )
