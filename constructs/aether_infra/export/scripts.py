"""The scripts of an exported module: POSIX sh that needs Terraform or OpenTofu, and the cloud's own command line.

    from aether_infra.export.scripts import ScriptFacts, scripts

    for name, text in scripts(ScriptFacts(provider=Provider.AWS, cluster="shop", region="us-west-2")).items():
        ...  # apply.sh, destroy.sh, push-image.sh: write each with mode 0755, beside aether.tfvars

Each script is whole by itself; it finds its modules by its own folder, so it runs from any. It gives a module
`-var-file=<folder of the module>/aether.tfvars` if that is there, else that of its own folder, else none. From the
infrastructure it reads the outputs `cluster_name`, `region`, `network_id`, `registry_url` and `runtime`, which every
stack of ours has. Exit codes: 0 done (or nothing to do), 1 failed or not wanted, 2 wrong arguments.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, Literal

from attrs import frozen

from aether_infra.config.provider import Provider

APPLY: Final = "apply.sh"
DESTROY: Final = "destroy.sh"
PUSH_IMAGE: Final = "push-image.sh"

_PLATFORMS: Final = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""Architectures as images name them. Source: https://docs.docker.com/build/building/multi-platform/ (as of 2026-11)."""
_YES: Final = "    -y | --yes) YES=yes ;;\n"
_COMMON_HELP: Final = """\
  -y, --yes    do not ask
  -h, --help   this text
  -- ...       what follows goes to every `terraform plan`, such as -target=..."""
_KEPT: Final = """\
say "The volumes of core nodes stay (protect = true): see \\`kubectl get persistentvolumes\\` afterwards."
"""
_TERRAFORM_HELP: Final = "TERRAFORM names the program: by default terraform, else tofu, from PATH."


@frozen(kw_only=True)
class ScriptFacts:
    """What the scripts must know of a module."""

    provider: Provider
    """The cloud."""
    cluster: str
    """Cluster's name; the output `cluster_name` goes before it."""
    infrastructure: str | None = "."
    """Folder of the infrastructure's module, relative to the scripts; None: the cluster exists, there is none."""
    workload: str | None = None
    """Folder of the module of what runs in Kubernetes, relative to the scripts; None: nodes are not in Kubernetes."""
    registry_targets: tuple[str, ...] = ()
    """Addresses of the registry, and of all that the output `registry_url` takes besides, so that it can be made before
    the rest; none: the registry exists, or comes with all the rest."""
    region: str = ""
    """Region; the output `region` goes before it."""
    namespace: str = "aether"
    """Kubernetes namespace of the nodes."""
    var_file: str = "aether.tfvars"
    """Name of the file of values."""
    protect: bool = True
    """Whether the module protects what holds data; a line `protect = …` in the file of values goes before it."""
    architecture: Literal["x86_64", "arm64"] | None = None
    """What images are built for; default: what the building machine is."""

    @property
    def modules(self) -> dict[str, str]:
        """Variable of the script by what the module is, in the order of building."""
        both = {"infrastructure": self.infrastructure, "workload": self.workload}
        return {name: name.upper() for name, folder in both.items() if folder is not None}


def scripts(facts: ScriptFacts) -> dict[str, str]:
    """Write the scripts of a module.

    Args:
        facts: what the module is.

    Returns:
        Text by file name: `apply.sh`, `destroy.sh` and, unless the cluster exists already, `push-image.sh`.
    """
    texts = {APPLY: _apply(facts), DESTROY: _destroy(facts)}
    if facts.infrastructure is not None:
        texts[PUSH_IMAGE] = _push_image(facts)
    return texts


def _apply(facts: ScriptFacts) -> str:
    order = ", then the ".join(facts.modules)
    usage = f"""\
Usage: ./apply.sh [--yes] [-- ARGUMENT...]

Builds Aether cluster {facts.cluster}, or changes it to what these files say: the {order}.
Shows each plan, asks, and applies that very plan.

{_COMMON_HELP}

{_TERRAFORM_HELP}"""
    steps = [f'change {name} "${variable}" "Apply this?" "$@"' for name, variable in facts.modules.items()]
    return _script(facts, usage, _part("common"), _part("options"), _lines(*steps))


def _destroy(facts: ScriptFacts) -> str:
    waits = facts.infrastructure is not None and facts.workload is not None
    order = ", then the ".join(reversed(facts.modules))
    usage = f"""\
Usage: ./destroy.sh [--yes] {"[--no-wait] " if waits else ""}[-- ARGUMENT...]

Destroys Aether cluster {facts.cluster}, for good: the {order}.
Shows each plan, asks, and applies that very plan."""
    if waits:
        usage += """
In between it waits until what controllers in the cluster made is gone, too: load balancers
and volumes are in no state of Terraform's, and would keep the network from going."""
    usage += f"\n\n{_COMMON_HELP}"
    if waits:
        usage += """
  --no-wait    do not wait for load balancers and volumes

WAIT_SECONDS is how long to wait for them at most: by default 600."""
    usage += f"\n{'' if waits else chr(10)}{_TERRAFORM_HELP}"
    return _script(facts, usage, *_destruction(facts, waits=waits))


def _destruction(facts: ScriptFacts, *, waits: bool) -> Iterator[str]:
    yield _part("common")
    yield _part("end")
    options = _part("options")
    if facts.infrastructure is None:
        yield options
        if facts.protect:
            yield _KEPT
        yield _lines('end workload "$WORKLOAD" "$@"')
        return
    yield _part("protected")
    if not waits:
        yield options
        yield _lines("if protected; then", "    warn_of_protection", "fi")
        yield _lines(
            *(f'end {name} "${variable}" "$@"' for name, variable in reversed(facts.modules.items()))
        )
        return
    yield _part("refused")
    left = _part(f"left-{facts.provider}")
    yield from (_part(reader) for reader in ("output", "runtime") if f"$({reader} " in left)
    yield left
    yield _part("wait")
    yield options.replace(_YES, f"{_YES}    --no-wait) WAIT=no ;;\n")
    yield _part("destroy")


def _push_image(facts: ScriptFacts) -> str:
    engine = "CONTAINER names Docker or Podman: by default docker, else podman, from PATH."
    if facts.provider is Provider.ORACLE:
        engine += """
OCIR_AUTH_TOKEN and OCIR_USER (<namespace>/<user name>) log in as that user; without them
the user of the OCI command line does."""
    usage = f"""\
Usage: ./push-image.sh --build FOLDER | --from IMAGE [--tag TAG] [--platform PLATFORM] [--yes]

Pushes the nodes' image to the registry of Aether cluster {facts.cluster}, and prints the name to put
into `image`, with its digest. Where there is no registry yet, it offers to make that first.

  --build FOLDER       build it there, from the Dockerfile
  --from IMAGE         take an image from elsewhere
  --tag TAG            by default the commit of FOLDER if nothing changed since, else the time:
                       tags are immutable, so a new image wants a new one
  --platform PLATFORM  what it must run on, such as linux/arm64
  -y, --yes            do not ask
  -h, --help           this text

{engine}
{_TERRAFORM_HELP}"""
    return _script(
        facts,
        usage,
        _part("common"),
        _make_registry(facts),
        _part(f"login-{facts.provider}"),
        _part("push-image"),
    )


def _make_registry(facts: ScriptFacts) -> str:
    if not facts.registry_targets:
        steps = [":  # it comes with all the rest"]
    else:
        targets = " ".join(shlex.quote(f"-target={address}") for address in facts.registry_targets)
        steps = [
            'say "There is no registry yet. It can be made alone, before all the rest."',
            f'change registry "$INFRASTRUCTURE" "Make the registry?" {targets}',
        ]
    return _lines("make_registry() {", *(f"    {step}" for step in steps), "}")


def _script(facts: ScriptFacts, usage: str, *parts: str) -> str:
    body = "\n".join(parts)
    settings = {
        "INFRASTRUCTURE": facts.infrastructure,
        "WORKLOAD": facts.workload,
        "VAR_FILE": facts.var_file,
        "PROTECT": str(facts.protect).lower(),
        "CLUSTER": facts.cluster,
        "REGION": facts.region,
        "NAMESPACE": facts.namespace,
        "PLATFORM": _PLATFORMS[facts.architecture] if facts.architecture else "",
    }
    head = [
        "#!/bin/sh",
        f"# {usage.splitlines()[2]} More: --help",
        "set -eu",
        "",
        *(
            f"{name}={shlex.quote(value)}"
            for name, value in settings.items()
            if value is not None and (f'"${name}"' in body or f"${name}" in body or f"${{{name}" in body)
        ),
        "",
        "usage() {",
        "    cat <<'END'",
        usage,
        "END",
        "}",
        "",
    ]
    return _lines(*head) + body


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def _part(name: str) -> str:
    return files("aether_infra.export").joinpath("templates", f"{name}.sh").read_text(encoding="utf-8")
