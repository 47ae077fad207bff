"""Errors of Aether Infra.

AetherInfraError            every error of this package
├── ConfigError             an aether.toml that cannot be used: carries every Problem found
│   └── synth.FleetError    several of them
├── cdk.arguments.ArgumentError  arguments of a generated class that Terraform would refuse
├── bindgen.document.SchemaError  a document that is no provider schema
├── OutputError             a result that cannot be written where it was asked for
└── MissingExtraError       an optional dependency (`aether-infra[<extra>]`) is not installed
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


class AetherInfraError(Exception):
    """Root of every error this package raises on purpose."""


@frozen(kw_only=True, order=True)
class Problem:
    """One thing that is wrong (or, as a warning, doubtful) in a configuration."""

    path: str
    """Where: the TOML path, such as `cloud.aws.vpc_cidr`; empty for the file as a whole."""
    message: str
    """What is wrong: the value found and what is allowed, as one lower-case clause."""
    hint: str = ""
    """How to mend it, such as the nearest known key; empty when the message already says it."""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text} ({self.hint})" if self.hint else text


class ConfigError(AetherInfraError):
    """A configuration that cannot be used.

    Args:
        problems: every problem found, at least one.
        source: the file's name as the user gave it.
    """

    def __init__(self, problems: Iterable[Problem], source: str = "aether.toml") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.source = source
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.source}: {count} problem{'' if count == 1 else 's'}"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


class OutputError(AetherInfraError):
    """A result that cannot be written where it was asked for; nothing was changed."""


class MissingExtraError(AetherInfraError):
    """An optional dependency is not installed.

    Args:
        extra: the extra of this package that brings it, such as `aws`.
        module: the module that could not be imported.
    """

    def __init__(self, extra: str, module: str) -> None:
        self.extra = extra
        self.module = module
        super().__init__(f"{module} is not installed: pip install 'aether-infra[{extra}]'")
