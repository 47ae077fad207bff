"""The only reader of `aether.toml`: text to `AetherConfig`, or one `ConfigError` with every problem.

Who only needs the classes does not pay for reading: converter and rules are imported on use.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from aether_infra.config.model import AetherConfig
from aether_infra.errors import Problem


def load(path: str | Path, env: Mapping[str, str] | None = None) -> AetherConfig:
    """Read and check a file.

    Args:
        path: the file.
        env: where `${env:NAME}` is looked up; default: the process's environment.

    Returns:
        The configuration.

    Raises:
        ConfigError: the file cannot be read or used; it holds every problem.
    """
    from aether_infra.config.document import read  # noqa: PLC0415 - on use, see above

    return loads(read(path), str(path), env)


def loads(text: str, source: str = "aether.toml", env: Mapping[str, str] | None = None) -> AetherConfig:
    """Read and check the text of a file.

    Args:
        text: TOML.
        source: the file's name, for messages.
        env: where `${env:NAME}` is looked up; default: the process's environment.

    Returns:
        The configuration.

    Raises:
        ConfigError: the text cannot be used; it holds every problem.
    """
    from aether_infra.config.pipeline import configure  # noqa: PLC0415 - on use, see above

    return configure(text, source, os.environ if env is None else env)


def warnings(config: AetherConfig) -> tuple[Problem, ...]:
    """What is allowed and still doubtful in a configuration, in a stable order."""
    from aether_infra.config.doubts import DOUBTS  # noqa: PLC0415 - on use, see above
    from aether_infra.config.rule import run  # noqa: PLC0415 - on use, see above

    return run(DOUBTS, config)
