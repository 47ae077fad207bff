"""How rules are written: generators of problems that say which keys they read.

A rule whose keys had a fault of shape is skipped: what it would say follows from that fault.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from attrs import frozen

from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection
from aether_infra.errors import Problem

Table = TypeVar("Table", bound=CloudSection)
Problems = Iterator[Problem]


@frozen
class Rule:
    """A rule over a configuration."""

    check: Callable[[AetherConfig], Problems]
    """Yields what is wrong; nothing if all is well."""
    reads: tuple[str, ...]
    """Dotted paths of the keys and tables that it reads."""


def rule(*reads: str) -> Callable[[Callable[[AetherConfig], Problems]], Rule]:
    """Make a rule of a function.

    Args:
        *reads: dotted paths of what it reads; `=` in front of a table whose faulty entries may be left out.
    """
    return lambda check: Rule(check, reads)


def section_rule(*reads: str) -> Callable[[Callable[[AetherConfig, Provider], Problems]], tuple[Rule, ...]]:
    """Make one rule per cloud of a function; each runs if the cloud has a table.

    Args:
        *reads: dotted paths of what it reads; those that begin with a dot are the cloud's table's.
    """

    def make(check: Callable[[AetherConfig, Provider], Problems]) -> tuple[Rule, ...]:
        return tuple(_for_section(check, provider, reads) for provider in Provider)

    return make


def _for_section(
    check: Callable[[AetherConfig, Provider], Problems], provider: Provider, reads: tuple[str, ...]
) -> Rule:
    def run(config: AetherConfig) -> Problems:
        if provider in config.sections:
            yield from check(config, provider)

    return Rule(run, _absolute(provider, reads))


@frozen
class TableRules(Generic[Table]):
    """Makes rules over one cloud's table."""

    provider: Provider
    select: Callable[[AetherConfig], Table | None]

    def __call__(self, *reads: str) -> Callable[[Callable[[AetherConfig, Table], Problems]], Rule]:
        """Make a rule of a function; it runs if the cloud has a table.

        Args:
            *reads: dotted paths of what it reads; those that begin with a dot are the cloud's table's.
        """

        def make(check: Callable[[AetherConfig, Table], Problems]) -> Rule:
            def run(config: AetherConfig) -> Problems:
                table = self.select(config)
                if table is not None:
                    yield from check(config, table)

            return Rule(run, _absolute(self.provider, reads))

        return make


def _absolute(provider: Provider, reads: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"cloud.{provider}{path}" if path.startswith(".") else path for path in reads)


def run(rules: Iterable[Rule], config: AetherConfig, failed: Iterable[str] = ()) -> tuple[Problem, ...]:
    """What rules find.

    Args:
        rules: the rules.
        config: the configuration.
        failed: dotted paths that have a fault already; rules that read them are skipped, and no rule adds a
            second problem there.

    Returns:
        The problems in a stable order, none twice.
    """
    failed = tuple(failed)
    found: set[Problem] = set()
    for one in rules:
        if not any(_touches(read, path) for read in one.reads for path in failed):
            found.update(one.check(config))
    told = {path.partition("[")[0] for path in failed}
    return tuple(sorted(one for one in found if not any(_inside(one.path, path) for path in told)))


def _touches(read: str, failed: str) -> bool:
    """Whether one path is the other or lies in it; with `=` in front, faulty entries do not count."""
    if read.startswith("="):
        return _inside(read[1:], failed)
    return _inside(read, failed) or _inside(failed, read)


def _inside(path: str, table: str) -> bool:
    return path == table or path.startswith((f"{table}.", f"{table}["))
