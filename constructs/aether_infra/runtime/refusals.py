"""Why the engine does not do what it was asked to; nothing has been changed then.

AetherInfraError
└── Refusal                 what was asked for is not done
    ├── Refused             it would do harm: the message has the arithmetic
    ├── OutOfBounds         a count outside of what the cluster may have
    ├── Busy                another operation has the node (or the core) at the moment
    ├── KeyReused           an idempotency key that came with another request before
    ├── UnknownOperation    there is no operation of that id
    ├── TooLate             an operation that is past its point of no return, or over, cannot be cancelled
    └── Fenced              this process is not the leader (any more): another one is
"""

from __future__ import annotations

from aether_infra.errors import AetherInfraError


class Refusal(AetherInfraError):  # noqa: N818 - as those of the clouds, its name is what it is
    """What was asked for is not done, and nothing has been changed."""


class Refused(Refusal):
    """It would do harm; the message says why, with the numbers."""


class OutOfBounds(Refusal):
    """A count outside of what the cluster may have."""


class Busy(Refusal):
    """Another operation has it.

    Args:
        message: what is busy, and with what.
        operation_id: the operation that has it.
    """

    def __init__(self, message: str, operation_id: str) -> None:
        self.operation_id = operation_id
        super().__init__(message)


class KeyReused(Refusal):
    """An idempotency key that came with another request before.

    Args:
        key: the key.
        operation_id: the operation that it belongs to.
    """

    def __init__(self, key: str, operation_id: str) -> None:
        self.operation_id = operation_id
        super().__init__(f'the idempotency key "{key}" belongs to {operation_id}, which was another request')


class UnknownOperation(Refusal):
    """There is no such operation.

    Args:
        operation_id: what was asked for.
    """

    def __init__(self, operation_id: str) -> None:
        super().__init__(f'there is no operation "{operation_id}"')


class TooLate(Refusal):
    """It cannot be cancelled any more."""


class Fenced(Refusal):
    """This process does not lead (any more), so it must not write as if it did."""
