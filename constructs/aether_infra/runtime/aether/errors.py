"""What can go wrong between us and Aether's management API.

AetherInfraError
└── AetherError             Aether does not do what it was asked
    ├── AetherUnavailable   no node gives an answer that can be used
    ├── AetherDenied        the API key is missing, wrong, or of too low a role
    ├── AetherUnsupported   these nodes have no such call
    └── AetherRefused       a node says no: its state does not allow it
"""

from __future__ import annotations

from aether_infra.errors import AetherInfraError


class AetherError(AetherInfraError):
    """Aether does not do what it was asked."""


class AetherUnavailable(AetherError):  # noqa: N818 - as `CloudUnavailable`
    """No node gives an answer that can be used."""


class AetherDenied(AetherError):  # noqa: N818 - as `Denied`
    """The API key is missing, wrong, or of too low a role."""


class AetherUnsupported(AetherError):  # noqa: N818 - as above
    """These nodes are too old for the call."""


class AetherRefused(AetherError):  # noqa: N818 - as above
    """A node says no. It does so with status 200 and `success: false`, too."""
