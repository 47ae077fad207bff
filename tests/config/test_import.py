"""What importing the configuration costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

TIMED = """
import time
start = time.process_time()
import aether_infra.config
print(time.process_time() - start)
"""


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    "script", ["import aether_infra.config", "from aether_infra.config import loads; loads('[cloud.aws]')"]
)
def test_nothing_heavy_is_imported(script: str) -> None:
    names = set(run(f"{script}\nimport sys\nprint(*sys.modules)").split())
    roots = {name.partition(".")[0] for name in names}
    assert not roots & {"cdktf", "constructs", "jsii", "boto3", "botocore", "asyncio", "typer"}


def test_import_takes_less_than_a_tenth_of_a_second() -> None:
    assert min(float(run(TIMED)) for _ in range(5)) < 0.1
