"""Measures `synth` of every cloud beside that of AWS: the files of apps/examples, in turns, each in a fresh process.

On Kubernetes clouds a file makes two stacks, infrastructure and workload; both count. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from synth import PYTHON_SYNTH, ROOT, Variant, find_node, machine, take_turns

LIMIT = 1.5
"""Times of the AWS stack that any other may take: more, and a provider is loaded that nobody asked for."""
BASE = "aws"
"""The example that all others are held against."""


def main() -> None:
    """Run everything and print it as Markdown; fail where the limit is broken."""
    options = parse(sys.argv[1:])
    node = find_node()
    with tempfile.TemporaryDirectory() as temporary:
        variants = [variant(path, Path(temporary), node) for path in options.files or examples()]
        for each in variants:
            each.run(measure=False)
        take_turns(variants, options.runs)
        print("\n".join(f"- {name}: {value}" for name, value in machine(node).items()))
        print(
            f"\n{options.runs} runs\n\n| example | stacks | resources | wall median s | CPU median s | of {BASE} |"
        )
        print("|---|---|---|---|---|---|")
        base = next(each for each in variants if each.name == BASE)
        ratios = {each.name: cpu(each) / cpu(base) for each in variants}
        for each in variants:
            print(row(each, ratios[each.name]))
    slow = [name for name, ratio in ratios.items() if ratio > LIMIT]
    if slow:
        raise SystemExit(f"more than {LIMIT} times of {BASE}: {', '.join(slow)}")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="configurations (default: the examples)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: %(default)s)")
    return parser.parse_args(arguments)


def examples() -> list[Path]:
    """The plain example of every cloud and kind."""
    every = sorted((ROOT / "apps/examples").glob("*.toml"))
    plain = {"aws", "aws-ec2", "aws-eks", "azure", "azure-vm", "digitalocean", "digitalocean-vm"}
    plain |= {"gcp", "gcp-vm", "kubernetes", "oracle", "oracle-vm"}
    return [path for path in every if path.stem in plain]


def variant(path: Path, folder: Path, node: str) -> Variant:
    """Our synth of one file."""
    output = folder / path.stem
    env = {"AETHER_CONFIG": str(path.resolve()), "CDKTF_OUTDIR": str(output), "JSII_NODE": node}
    return Variant(path.stem, PYTHON_SYNTH, output, env)


def cpu(each: Variant) -> float:
    """CPU time, which hardly depends on what else the machine does."""
    return statistics.median(each.cpu_seconds)


def row(each: Variant, ratio: float) -> str:
    """The line of the table."""
    stacks = each.stacks()
    resources = sum(len(named) for stack in stacks for named in stack["resource"].values())
    wall = statistics.median(each.wall_seconds)
    return f"| {each.name} | {len(stacks)} | {resources} | {wall:.2f} | {cpu(each):.2f} | {ratio:.2f} |"


if __name__ == "__main__":
    main()
