"""What the Deployment itself remembers of our changes to its number.

It is in an annotation, changed in the same request as the number, so that no crash and no second try can count twice.
Kubernetes refuses a change of what has changed since it was read (`resourceVersion`), so two managers cannot both win:
https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions (as of 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final

from attrs import evolve, field, frozen

ANNOTATION: Final = "aether-infra/ledger"
"""Annotation of the Deployment that holds it."""
REMEMBERED: Final = 200
"""Creations and endings that are remembered at the most; the oldest that are over go first. An annotation may hold
256 KiB in all: https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/ (as of 2026-11)."""


@frozen(kw_only=True)
class Ledger:
    """Which creations and endings the number of replicas already holds."""

    created: Mapping[str, str] = field(factory=dict)
    """Token of each creation = name of its pod; empty until one is there. In the order in which they came."""
    present: tuple[str, ...] = ()
    """Pods that were there before the newest creation and that none of ours brought."""
    ended: tuple[str, ...] = ()
    """Pods whose ending the number already holds, in the order in which they went."""

    @classmethod
    def read(cls, annotations: Mapping[str, str] | None) -> Ledger:
        """The ledger in a Deployment's annotations; an empty one where there is none, or none that can be read."""
        try:
            raw = json.loads((annotations or {}).get(ANNOTATION, "{}"))
            return cls(
                created={str(key): str(value) for key, value in raw.get("created", {}).items()},
                present=tuple(str(name) for name in raw.get("present", ())),
                ended=tuple(str(name) for name in raw.get("ended", ())),
            )
        except (ValueError, AttributeError, TypeError):
            return cls()

    def write(self) -> str:
        """The annotation's text."""
        return json.dumps(
            {"created": dict(self.created), "present": list(self.present), "ended": list(self.ended)},
            separators=(",", ":"),
        )

    def with_creation(self, token: str, pod: str = "") -> Ledger:
        """The same with a creation, or with its pod."""
        return evolve(self, created={**self.created, token: pod})

    def without_creation(self, token: str) -> Ledger:
        """The same without a creation."""
        return evolve(self, created={key: pod for key, pod in self.created.items() if key != token})

    def with_present(self, pods: Collection[str]) -> Ledger:
        """The same, knowing which pods are there already: none of them is what the next creation brings."""
        brought = set(self.created.values())
        if "" in brought:
            # one that has not claimed its pod yet: what came since then may be just that
            return self
        return evolve(self, present=tuple(pod for pod in pods if pod not in brought))

    def with_ending(self, pod: str) -> Ledger:
        """The same with an ending."""
        return evolve(self, ended=(*(name for name in self.ended if name != pod), pod))

    def token_of(self, pod: str) -> str:
        """Token of the creation that brought a pod; empty for none of ours."""
        return next((token for token, name in self.created.items() if name == pod), "")

    def unclaimed(self, pods: Collection[str]) -> list[str]:
        """Those pods that came by a creation which has not claimed one yet, in the order given."""
        claimed = {*self.created.values(), *self.present}
        return [pod for pod in pods if pod not in claimed]

    def pruned(self, alive: Collection[str]) -> Ledger:
        """The same without the oldest that are over, down to `REMEMBERED` of each."""
        over = [token for token, pod in self.created.items() if pod and pod not in alive]
        surplus = set(over[: max(0, len(self.created) - REMEMBERED)])
        gone = [pod for pod in self.ended if pod not in alive]
        forgotten = set(gone[: max(0, len(self.ended) - REMEMBERED)])
        return Ledger(
            created={token: pod for token, pod in self.created.items() if token not in surplus},
            present=tuple(pod for pod in self.present if pod in alive),
            ended=tuple(pod for pod in self.ended if pod not in forgotten),
        )
