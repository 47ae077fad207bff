"""All checks, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aether_infra.config import Provider
from aether_infra.doctor import credentials, state, tools
from aether_infra.doctor.finding import Finding, Look, Status, judge
from aether_infra.doctor.machine import Machine
from aether_infra.doctor.needs import Needs, StatePlace

Check = Callable[[], Finding]

PYTHON, PROGRAMS, CREDENTIALS, STATE = "python", "programs", "credentials", "state"
"""Headings of the report."""
AT_ONCE = 4
"""How many programs are run at the same time."""


def examine(
    machine: Machine, needs: Needs, *, offline: bool = False, look_for_credentials: bool = True
) -> list[Finding]:
    """Look for everything.

    Args:
        machine: where to look.
        needs: what was asked about; with no cloud in it, nothing counts as missing.
        offline: leave out what opens a connection, and say so.
        look_for_credentials: look for credentials; otherwise leave them out, and say so.

    Returns:
        The findings, in the order of the report.
    """
    checks = [
        *_python(machine, needs),
        *_programs(machine, needs),
        *(_credentials(machine, needs) if look_for_credentials else _skipped_credentials(needs)),
        *_state(machine, needs, offline=offline),
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda check: check(), checks))


def _clouds(needs: Needs) -> Sequence[Provider]:
    """The clouds to tell of: those that were asked about, else all."""
    return tuple(needs.clouds) or tuple(Provider)


def _check(topic: str, subject: str, look: Callable[[], Look], *, needed: bool, purpose: str = "") -> Check:
    return lambda: judge(topic, subject, look(), needed=needed, purpose=purpose)


def _python(machine: Machine, needs: Needs) -> Iterator[Check]:
    some = bool(needs.clouds)
    yield _check(PYTHON, "Python", partial(tools.python, machine), needed=some)
    for cloud in _clouds(needs):
        name = "workload" if cloud is Provider.KUBERNETES else cloud.value
        look = partial(tools.packages, machine, name, "workload")
        purpose = f"synth, export, diff and diagram of {cloud}"
        yield _check(PYTHON, f"bindings, {cloud}", look, needed=cloud in needs.clouds, purpose=purpose)
    for cloud in _clouds(needs):
        look = partial(tools.packages, machine, f"runtime-{cloud}", "runtime")
        yield _check(PYTHON, f"runtime, {cloud}", look, needed=False, purpose=f"serve and node on {cloud}")


def _programs(machine: Machine, needs: Needs) -> Iterator[Check]:
    some = bool(needs.clouds)
    purpose = "synth, export, diff and diagram"
    yield _check(PROGRAMS, "Node", partial(tools.node, machine), needed=some, purpose=purpose)
    look = partial(tools.terraform, machine)
    yield _check(PROGRAMS, "Terraform or OpenTofu", look, needed=some, purpose="plan and apply")
    look = partial(tools.cdktf, machine)
    yield _check(
        PROGRAMS, "cdktf or cdktn", look, needed=False, purpose="cdktf deploy; Terraform alone does as well"
    )
    for cloud in _clouds(needs):
        helper = tools.CLUSTER_ACCESS.get(cloud)
        # where nodes run is not known without a configuration
        if helper is not None and (cloud in needs.kubernetes or not needs.clouds.get(cloud)):
            needed = cloud in needs.kubernetes
            purpose = f"{helper.purpose}, {cloud}"
            look = partial(tools.program, machine, helper)
            yield _check(PROGRAMS, helper.name, look, needed=needed, purpose=purpose)
    look = partial(tools.container_engine, machine)
    yield _check(PROGRAMS, "Docker or Podman", look, needed=False, purpose="push-image.sh")


def _credentials(machine: Machine, needs: Needs) -> Iterator[Check]:
    for cloud in _clouds(needs):
        needed = cloud in needs.clouds
        if cloud in credentials.CLOUDS:
            look = partial(credentials.CLOUDS[cloud], machine)
            yield _check(CREDENTIALS, cloud.value, look, needed=needed, purpose=f"Terraform on {cloud}")
        if cloud in credentials.HELPERS and (cloud in needs.kubernetes or not needs.clouds):
            name, check = credentials.HELPERS[cloud]
            look = partial(check, machine)
            yield _check(CREDENTIALS, name, look, needed=needed, purpose=f"the workload on {cloud}")
    for path in needs.kubeconfigs:
        yield _check(CREDENTIALS, "kubeconfig", partial(credentials.kubeconfig, machine, path), needed=True)
    for place in needs.states:
        found = credentials.state(machine, place.state)
        if found is not None:
            backend = place.state.backend
            yield partial(
                judge, CREDENTIALS, f"state, {backend}", found, needed=True, purpose="reading the state"
            )


def _skipped_credentials(needs: Needs) -> Iterator[Check]:
    found = "not looked for: --no-credentials"
    for cloud in _clouds(needs):
        yield partial(_skipped, CREDENTIALS, cloud.value, found)


def _state(machine: Machine, needs: Needs, *, offline: bool) -> Iterator[Check]:
    for place in needs.states:
        subject = f"backend, {place.state.backend}"
        if offline and place.state.backend != "local":
            yield partial(_skipped, STATE, subject, "not looked at: --offline")
        else:
            yield partial(_place, machine, place, subject)


def _place(machine: Machine, place: StatePlace, subject: str) -> Finding:
    found = state.reach(machine, place)
    if found is None:
        return _skipped(STATE, subject, "not looked at: the configuration does not say which host it is")
    return judge(STATE, subject, found, needed=True, purpose="plan and apply")


def _skipped(topic: str, subject: str, found: str) -> Finding:
    return Finding(topic=topic, subject=subject, status=Status.SKIPPED, found=found)
