"""The scripts of an exported module, run by a real sh among programs that only note how they were called."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve, frozen

from aether_infra.config.provider import Provider
from aether_infra.export.scripts import APPLY, DESTROY, PUSH_IMAGE, ScriptFacts, scripts

SHELL = shutil.which("dash") or "sh"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
TOOLS = ("cat", "date", "dirname", "git", "grep", "head", "mktemp", "rm", "sed", "sh", "tr")
"""All that the scripts may use of a system."""
CLIS = ("aws", "gcloud", "az", "doctl", "oci")
SECRET = "hunter2"  # noqa: S105 - what must not be seen
DIGEST = "sha256:" + "ab" * 32
RUNTIME = (
    '{"compartment_id":"ocid1.c","kubernetes":{"cluster_id":"abc-1","node_resource_group":"machines",'
    '"load_balancer":{"resource_group":"group"}},"project":"my-project","resource_group":"group",'
    '"subscription_id":"sub"}'
)

NOTE = """#!/bin/sh
me=${0##*/}
note() { printf '%s\\n' "$*" >>"$FAKE/log"; }
told() { if [ -f "$FAKE/$1" ]; then cat "$FAKE/$1"; else printf '%s' "$2"; fi; }
"""
TERRAFORM = """
module=${1#-chdir=}
shift
case $module in */workload) module=workload ;; */existing) module=existing ;; *) module=infrastructure ;; esac
note "$me $module $*"
case $1 in
plan)
    for argument; do case $argument in -out=*) out=${argument#-out=} ;; esac; done
    echo "PLAN of $module"
    printf 'plan of %s' "$module" >"$out"
    exit "$(told "plan-$module" 2)" ;;
apply)
    for argument; do plan=$argument; done
    note "applied: $(cat "$plan")"
    if [ -f "$FAKE/made" ]; then mv "$FAKE/made" "$FAKE/registry_url"; fi
    exit "$(told "apply-$module" 0)" ;;
state) told "state-$module" "a.b" ;;
output)
    [ -f "$FAKE/$3" ] || exit 1
    cat "$FAKE/$3" ;;
esac
"""
CLOUD = """
note "$me $*"
case "$*" in
*login-password* | *print-access-token* | *expose-token* | *raw-request*) echo hunter2; exit 0 ;;
*login*) exit 0 ;;
esac
if [ -f "$FAKE/broken" ]; then exit 1; fi
left=$(told left 0)
if [ "$left" -gt 0 ]; then
    echo $((left - 1)) >"$FAKE/left"
    case $me in oci) printf '[\\n  "thing-1",\\n  "thing-2"\\n]\\n' ;; *) printf 'thing-1\\tthing-2\\n' ;; esac
fi
"""
DOCKER = """
note "$me $*"
case "$*" in
--version) echo "$(told engine Docker) version 1" ;;
login*) note "password: $(cat)" ;;
pull*) exit "$(told pull 0)" ;;
push*)
    for argument; do
        case $last in --digestfile) printf %s "$(cat "$FAKE/digest")" >"$argument" ;; esac
        last=$argument
    done
    exit "$(told push 0)" ;;
"image inspect --format"*) echo "elsewhere/x@sha256:00"; echo "$(cat "$FAKE/registry_url")@$(cat "$FAKE/digest")" ;;
esac
"""
SLEEP = '\nnote "sleep $1"\n'


@frozen
class Outcome:
    """What a script did."""

    code: int
    out: str
    err: str
    log: list[str]

    def calls(self, *words: str) -> list[str]:
        """Notes with any of these words in them."""
        return [line for line in self.log if any(word in line.split() for word in words)]


@frozen
class Machine:
    """A folder with the scripts, and a PATH of fakes."""

    root: Path

    @property
    def module(self) -> Path:
        """Where the scripts are."""
        return self.root / "my module"

    def tell(self, **files: str) -> None:
        """Say how the fakes behave."""
        for name, text in files.items():
            (self.root / "fake" / name.replace("__", "-")).write_text(text, encoding="utf-8")

    def fake(self, name: str, body: str) -> None:
        """Put a program on PATH."""
        path = self.root / "bin" / name
        path.write_text(NOTE + body, encoding="utf-8")
        path.chmod(0o755)

    def lose(self, name: str) -> None:
        """Take a program away."""
        (self.root / "bin" / name).unlink()

    def export(self, facts: ScriptFacts) -> None:
        """Write the scripts."""
        for name, text in scripts(facts).items():
            path = self.module / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)

    def run(
        self,
        script: str,
        *arguments: str,
        typed: str | None = None,
        cwd: Path | None = None,
        **variables: str,
    ) -> Outcome:
        """Run a script; on a terminal if something is typed."""
        environ: Mapping[str, str] = {
            "PATH": str(self.root / "bin"),
            "FAKE": str(self.root / "fake"),
            "TMPDIR": str(self.root / "tmp"),
            **variables,
        }
        command = [SHELL, str(self.module / script), *arguments]
        if typed is None:
            done = subprocess.run(
                command,
                env=environ,
                cwd=cwd or self.root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        else:
            keyboard, terminal = pty.openpty()
            os.write(keyboard, typed.encode())
            try:
                done = subprocess.run(
                    command,
                    env=environ,
                    cwd=cwd or self.root,
                    stdin=terminal,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            finally:
                os.close(terminal)
                os.close(keyboard)
        log = self.root / "fake" / "log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        assert list((self.root / "tmp").iterdir()) == []  # plans hold secrets: none stays
        return Outcome(done.returncode, done.stdout, done.stderr, lines)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with all programs, a registry, and nothing exported yet."""
    made = Machine(tmp_path)
    for folder in ("bin", "fake", "tmp", "my module"):
        (tmp_path / folder).mkdir()
    (made.module / "aether.tfvars").write_text("", encoding="utf-8")
    for tool in (*TOOLS, "mv"):
        path = shutil.which(tool)
        assert path is not None
        (tmp_path / "bin" / tool).symlink_to(path)
    for cli in CLIS:
        made.fake(cli, CLOUD)
    made.fake("terraform", TERRAFORM)
    made.fake("docker", DOCKER)
    made.fake("sleep", SLEEP)
    made.tell(
        registry_url="r.example/team/node", runtime=RUNTIME, cluster_name="shop", region="r-1", digest=DIGEST
    )
    made.tell(network_id="projects/my-project/global/networks/shop-net")
    return made


def facts(
    provider: Provider = Provider.AWS, *, kubernetes: bool = False, protect: bool = False
) -> ScriptFacts:
    if provider is Provider.KUBERNETES:
        return ScriptFacts(
            provider=provider, cluster="shop", infrastructure=None, workload="existing", protect=protect
        )
    return ScriptFacts(
        provider=provider,
        cluster="shop",
        workload="workload" if kubernetes else None,
        registry_targets=("x_registry.one", 'x_right.pull["a b"]'),
        region="r-1",
        protect=protect,
    )


CLOUDS = [cloud for cloud in Provider if cloud is not Provider.KUBERNETES]
ALL = [
    *(facts(cloud, kubernetes=True) for cloud in CLOUDS),
    facts(protect=True),
    facts(Provider.KUBERNETES),
    facts(Provider.KUBERNETES, protect=True),
    evolve(facts(), registry_targets=(), architecture="arm64"),
]
"""Every part of a script, and every way in which parts come together."""


def test_shellcheck(tmp_path: Path) -> None:
    paths = []
    for number, text in enumerate(dict.fromkeys(text for each in ALL for text in scripts(each).values())):
        paths.append(tmp_path / f"{number}.sh")
        paths[-1].write_text(text, encoding="utf-8")
    done = subprocess.run([SHELLCHECK, "-s", "sh", *paths], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_lines_are_short() -> None:
    lines = {line for each in ALL for text in scripts(each).values() for line in text.splitlines()}
    assert [line for line in lines if len(line) > 120] == []


def test_no_registry_of_an_existing_cluster() -> None:
    assert set(scripts(facts(Provider.KUBERNETES))) == {APPLY, DESTROY}
    assert set(scripts(facts())) == {APPLY, DESTROY, PUSH_IMAGE}


@pytest.mark.parametrize("script", [APPLY, DESTROY, PUSH_IMAGE])
def test_help_needs_no_program_at_all(machine: Machine, script: str) -> None:
    machine.export(facts())
    machine.lose("terraform")
    done = machine.run(script, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: ./{script} ")
    assert done.log == []


@pytest.mark.parametrize("script", [APPLY, DESTROY, PUSH_IMAGE])
def test_wrong_arguments_are_code_2(machine: Machine, script: str) -> None:
    machine.export(facts())
    done = machine.run(script, "--nonsense")
    assert done.code == 2
    assert "unknown argument: --nonsense" in done.err
    assert done.log == []


class TestApply:
    def test_yes_at_the_terminal_applies_the_plan_that_was_shown(self, machine: Machine) -> None:
        machine.export(facts())
        done = machine.run(APPLY, typed="yes\n")
        assert done.code == 0
        assert [line.split()[2] for line in done.calls("terraform")] == ["init", "plan", "apply"]
        plan, apply = done.calls("plan")[0], done.calls("apply")[0]
        (out,) = [word for word in plan.split() if word.startswith("-out=")]
        assert apply.split()[-1] == out.removeprefix("-out=")
        assert str(machine.module) not in out
        assert done.log[-1] == "applied: plan of infrastructure"
        assert "PLAN of infrastructure" in done.out
        assert "Apply this? [yes/no]" in done.err
        assert f"-var-file={machine.module}/aether.tfvars" in plan

    @pytest.mark.parametrize("typed", ["no\n", "y\n", "YES\n", "\n", "\x04"])
    def test_only_yes_counts(self, machine: Machine, typed: str) -> None:
        machine.export(facts())
        done = machine.run(APPLY, typed=typed)
        assert done.code == 1
        assert done.calls("apply") == []
        assert "nothing was changed" in done.err

    def test_without_a_terminal_it_refuses(self, machine: Machine) -> None:
        machine.export(facts(kubernetes=True))
        done = machine.run(APPLY)
        assert done.code == 1
        assert done.calls("apply") == []
        assert "--yes" in done.err

    @pytest.mark.parametrize("yes", ["--yes", "-y"])
    def test_yes_asks_nothing(self, machine: Machine, yes: str) -> None:
        machine.export(facts())
        done = machine.run(APPLY, yes)
        assert done.code == 0
        assert "[yes/no]" not in done.err
        assert done.calls("apply")

    def test_nothing_to_change_is_no_question(self, machine: Machine) -> None:
        machine.export(facts())
        machine.tell(plan__infrastructure="0")
        done = machine.run(APPLY)
        assert done.code == 0
        assert "nothing to change" in done.err
        assert done.calls("apply") == []

    def test_kubernetes_is_infrastructure_then_workload(self, machine: Machine) -> None:
        machine.export(facts(Provider.GCP, kubernetes=True))
        done = machine.run(APPLY, typed="yes\nyes\n")
        assert done.code == 0
        steps = [line.split()[1:3] for line in done.calls("terraform")]
        assert steps == [
            [module, step] for module in ("infrastructure", "workload") for step in ("init", "plan", "apply")
        ]

    @pytest.mark.parametrize("step", ["plan", "apply"])
    def test_a_failure_stops_it(self, machine: Machine, step: str) -> None:
        machine.export(facts(Provider.GCP, kubernetes=True))
        machine.tell(**{f"{step}__infrastructure": "1"})
        done = machine.run(APPLY, "--yes")
        assert done.code == 1
        assert done.calls("workload") == []
        assert ("apply" in done.log[-1]) is (step == "apply") or "applied" in done.log[-1]

    def test_more_arguments_go_to_plan(self, machine: Machine) -> None:
        machine.export(facts())
        done = machine.run(APPLY, "--yes", "--", "-target=a.b", "-parallelism=2")
        assert done.calls("plan")[0].endswith("-target=a.b -parallelism=2")
        assert "-target" not in done.calls("apply")[0]

    def test_runs_from_anywhere(self, machine: Machine) -> None:
        machine.export(facts())
        for folder in (machine.module, machine.root / "tmp", Path("/")):
            assert machine.run(APPLY, "--yes", cwd=folder).code == 0

    def test_a_module_may_have_values_of_its_own_or_none(self, machine: Machine) -> None:
        machine.export(facts(kubernetes=True))
        (machine.module / "workload").mkdir()
        (machine.module / "workload" / "aether.tfvars").touch()
        done = machine.run(APPLY, "--yes")
        assert f"-var-file={machine.module}/workload/aether.tfvars" in done.calls("plan")[2]
        (machine.module / "workload" / "aether.tfvars").unlink()
        (machine.module / "aether.tfvars").unlink()
        assert "-var-file" not in " ".join(machine.run(APPLY, "--yes").log)

    def test_tofu_where_it_is_asked_for_or_alone(self, machine: Machine) -> None:
        machine.export(facts())
        machine.fake("tofu", TERRAFORM)
        assert machine.run(APPLY, "--yes").log[0].startswith("terraform ")
        assert machine.run(APPLY, "--yes", TERRAFORM="tofu").log[0].startswith("tofu ")
        machine.lose("terraform")
        assert machine.run(APPLY, "--yes").log[0].startswith("tofu ")

    @pytest.mark.parametrize(
        ("variables", "message"),
        [({}, "neither terraform nor tofu is on PATH"), ({"TERRAFORM": "tf-9"}, "TERRAFORM is 'tf-9'")],
    )
    def test_no_terraform(self, machine: Machine, variables: dict[str, str], message: str) -> None:
        machine.export(facts())
        machine.lose("terraform")
        done = machine.run(APPLY, "--yes", **variables)
        assert done.code == 1
        assert message in done.err


class TestDestroy:
    def test_destroys_by_a_plan(self, machine: Machine) -> None:
        machine.export(facts())
        done = machine.run(DESTROY, typed="yes\n")
        assert done.code == 0
        assert "-destroy" in done.calls("plan")[0]
        assert done.log[-1] == "applied: plan of infrastructure"
        assert "Destroy this? [yes/no]" in done.err

    def test_no_destroys_nothing(self, machine: Machine) -> None:
        machine.export(facts(Provider.GCP, kubernetes=True))
        done = machine.run(DESTROY, typed="no\n")
        assert done.code == 1
        assert done.calls("apply") == []
        assert done.calls("infrastructure") == []

    def test_an_existing_cluster_is_not_waited_for(self, machine: Machine) -> None:
        machine.export(facts(Provider.KUBERNETES, protect=True))
        done = machine.run(DESTROY, "--yes")
        assert done.code == 0
        assert "The volumes of core nodes stay" in done.err
        assert done.log[-1] == "applied: plan of existing"

    @pytest.mark.parametrize("cloud", CLOUDS)
    def test_workload_then_waiting_then_infrastructure(self, machine: Machine, cloud: Provider) -> None:
        machine.export(facts(cloud, kubernetes=True))
        machine.tell(left="2")
        done = machine.run(DESTROY, "--yes", WAIT_SECONDS="60")
        assert done.code == 0
        order = [
            line.split()[0] if line.split()[0] in CLIS else line
            for line in done.log
            if line.startswith(("applied", "sleep", *CLIS))
        ]
        cli = next(word for word in order if word in CLIS)
        assert order[0] == "applied: plan of workload"
        assert order[-1] == "applied: plan of infrastructure"
        assert set(order[1:-1]) == {cli, "sleep 10"}
        assert order[-2] == cli
        assert "thing-1\n" in done.err
        assert "Waiting for these to go, 0 of at most 60 seconds" in done.err

    @pytest.mark.parametrize(
        ("cloud", "words"),
        [
            (
                Provider.AWS,
                ["--region r-1", "Name=tag:aether-cluster,Values=shop", "tag-key,Values=CSIVolumeName"],
            ),
            (
                Provider.GCP,
                ["--project=my-project", "labels.aether-cluster=shop", "network~/shop-net$", "-aether-"],
            ),
            (Provider.AZURE, ["--subscription sub", "--resource-group group", "--resource-group machines"]),
            (Provider.DIGITALOCEAN, ["list-associated-resources abc-1"]),
            (Provider.ORACLE, ["--compartment-id ocid1.c", '"freeform-tags"."aether-cluster"==\'shop\'']),
        ],
    )
    def test_looks_for_what_is_this_clusters(
        self, machine: Machine, cloud: Provider, words: list[str]
    ) -> None:
        machine.export(facts(cloud, kubernetes=True))
        done = machine.run(DESTROY, "--yes")
        looked = "\n".join(line for line in done.log if line.startswith(CLIS))
        for word in words:
            assert word in looked

    def test_stops_when_the_time_is_over(self, machine: Machine) -> None:
        machine.export(facts(Provider.AWS, kubernetes=True))
        machine.tell(left="99")
        done = machine.run(DESTROY, "--yes", WAIT_SECONDS="25")
        assert done.code == 1
        assert done.calls("sleep") == ["sleep 10", "sleep 10", "sleep 5"]
        assert "After 25 seconds these are still there:\n  volume thing-1\n  volume thing-2" in done.err
        assert done.log.count("applied: plan of infrastructure") == 0

    def test_goes_on_with_no_wait(self, machine: Machine) -> None:
        machine.export(facts(Provider.AWS, kubernetes=True))
        machine.tell(left="99")
        done = machine.run(DESTROY, "--yes", "--no-wait")
        assert done.code == 0
        assert done.calls("aws", "sleep") == []
        assert done.log[-1] == "applied: plan of infrastructure"

    def test_a_command_line_that_fails_is_not_nothing_left(self, machine: Machine) -> None:
        for cloud in CLOUDS:
            machine.export(facts(cloud, kubernetes=True))
            machine.tell(broken="")
            done = machine.run(DESTROY, "--yes")
            assert done.code == 1
            assert "applied: plan of infrastructure" not in done.log

    @pytest.mark.parametrize(("typed", "code"), [("yes\nno\n", 1), ("yes\nyes\nyes\n", 0)])
    def test_asks_when_the_command_line_is_missing(self, machine: Machine, typed: str, code: int) -> None:
        machine.export(facts(Provider.AWS, kubernetes=True))
        machine.lose("aws")
        done = machine.run(DESTROY, typed=typed)
        assert done.code == code
        assert "aws is not on PATH" in done.err
        assert ("applied: plan of infrastructure" in done.log) is (code == 0)

    def test_what_is_gone_already_is_passed_over(self, machine: Machine) -> None:
        machine.export(facts(Provider.GCP, kubernetes=True))
        machine.tell(state__workload="")
        done = machine.run(DESTROY, "--yes")
        assert done.code == 0
        assert "applied: plan of workload" not in done.log
        assert done.log[-1] == "applied: plan of infrastructure"
        machine.tell(state__infrastructure="")
        done = machine.run(DESTROY)
        assert done.code == 0
        assert done.calls("plan", "gcloud") == []

    def test_protection_is_told_and_nothing_destroyed(self, machine: Machine) -> None:
        machine.export(facts(Provider.GCP, kubernetes=True, protect=True))
        machine.tell(plan__infrastructure="1")
        done = machine.run(DESTROY, "--yes")
        assert done.code == 1
        assert done.err.startswith("Deletion protection is on (protect = true)")
        assert "aether-infra export" in done.err
        assert "PLAN of infrastructure" in done.err
        assert done.calls("apply", "workload") == []

    @pytest.mark.parametrize("kubernetes", [True, False])
    @pytest.mark.parametrize(("exported", "value", "told"), [(True, "false", False), (False, "true", True)])
    def test_the_file_of_values_goes_before(
        self, machine: Machine, *, kubernetes: bool, exported: bool, value: str, told: bool
    ) -> None:
        machine.export(facts(Provider.GCP, kubernetes=kubernetes, protect=exported))
        (machine.module / "aether.tfvars").write_text(f"protect    = {value} # or not\n", encoding="utf-8")
        done = machine.run(DESTROY, "--yes")
        assert done.code == 0
        assert ("Deletion protection is on" in done.err) is told
        assert ("protect = false in aether.tfvars" in done.err) is told

    def test_wait_seconds_is_a_number(self, machine: Machine) -> None:
        machine.export(facts(Provider.AWS, kubernetes=True))
        done = machine.run(DESTROY, "--yes", WAIT_SECONDS="10m")
        assert done.code == 1
        assert "WAIT_SECONDS" in done.err
        assert done.log == []


class TestPushImage:
    @pytest.mark.parametrize(
        ("cloud", "user"),
        [
            (Provider.AWS, "AWS"),
            (Provider.GCP, "oauth2accesstoken"),
            (Provider.AZURE, "00000000-0000-0000-0000-000000000000"),
            (Provider.ORACLE, "BEARER_TOKEN"),
        ],
    )
    def test_logs_in_by_standard_input(self, machine: Machine, cloud: Provider, user: str) -> None:
        machine.export(facts(cloud))
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", "--tag", "2", "--yes")
        assert done.code == 0
        assert f"docker login --username {user} --password-stdin r.example" in done.log
        assert [line for line in done.log if SECRET in line] == [f"password: {SECRET}"]
        assert SECRET not in done.out + done.err

    def test_digitalocean_logs_in_by_doctl(self, machine: Machine) -> None:
        machine.export(facts(Provider.DIGITALOCEAN))
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", "--yes")
        assert done.code == 0
        assert done.calls("doctl") == ["doctl registry login --expiry-seconds 3600"]

    def test_oracle_takes_a_users_token(self, machine: Machine) -> None:
        machine.export(facts(Provider.ORACLE))
        arguments = (PUSH_IMAGE, "--from", "a/b:1", "--yes")
        done = machine.run(*arguments, OCIR_USER="ns/me", OCIR_AUTH_TOKEN=SECRET)
        assert "docker login --username ns/me --password-stdin r.example" in done.log
        assert done.calls("oci") == []
        assert [line for line in done.log if SECRET in line] == [f"password: {SECRET}"]
        assert "OCIR_USER" in machine.run(*arguments, OCIR_AUTH_TOKEN=SECRET).err

    def test_the_region_of_ecr_is_in_its_name(self, machine: Machine) -> None:
        machine.export(facts())
        machine.tell(registry_url="1.dkr.ecr.eu-west-9.amazonaws.com/node")
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", "--yes")
        assert done.calls("aws") == ["aws ecr get-login-password --region eu-west-9"]

    @pytest.mark.parametrize("engine", ["Docker", "podman"])
    def test_prints_the_digest_and_nothing_else(self, machine: Machine, engine: str) -> None:
        machine.export(facts())
        machine.tell(engine=engine)
        machine.fake("engine", DOCKER)
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", "--tag", "2", typed="yes\n", CONTAINER="engine")
        assert done.code == 0
        assert done.out == f"r.example/team/node@{DIGEST}\n"
        assert [" ".join(line.split()[:2]) for line in done.calls("engine")] == [
            "engine login",
            "engine pull",
            "engine tag",
            "engine --version",
            "engine push",
            *(["engine image"] if engine == "Docker" else []),
        ]
        assert "engine tag a/b:1 r.example/team/node:2" in done.log

    def test_builds_for_the_clusters_machines(self, machine: Machine) -> None:
        machine.export(evolve(facts(), architecture="arm64"))
        folder = machine.root / "a b"
        folder.mkdir()
        done = machine.run(PUSH_IMAGE, "--build", "a b", "--tag", "v1", "--yes")
        assert done.code == 0
        assert "docker build --platform linux/arm64 --tag r.example/team/node:v1 a b" in done.log

    def test_the_tag_is_the_commit_or_the_time(self, machine: Machine) -> None:
        machine.export(facts())
        folder = machine.root / "source"
        folder.mkdir()
        pushed = machine.run(PUSH_IMAGE, "--build", "source", "--yes").calls("push")[0]
        assert pushed.rpartition(":")[2].replace("-", "").isdigit()
        for command in (
            ("init", "-q"),
            ("add", "."),
            ("commit", "-qm", "x", "--allow-empty"),
            ("tag", "v1.2"),
        ):
            subprocess.run(
                [
                    "git",
                    "-c",
                    "user.name=x",
                    "-c",
                    "user.email=x@example.com",
                    "-c",
                    "commit.gpgsign=false",
                    *command,
                ],
                cwd=folder,
                check=True,
            )
        assert machine.run(PUSH_IMAGE, "--build", "source", "--yes").calls("push")[0].endswith(":v1.2")
        (folder / "new").touch()
        assert "v1.2" not in machine.run(PUSH_IMAGE, "--build", "source", "--yes").calls("push")[0]

    def test_makes_the_registry_alone(self, machine: Machine) -> None:
        machine.export(facts())
        (machine.root / "fake" / "registry_url").rename(machine.root / "fake" / "made")
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", typed="yes\nyes\n")
        assert done.code == 0
        assert done.out == f"r.example/team/node@{DIGEST}\n"
        assert done.calls("plan")[0].endswith('-target=x_registry.one -target=x_right.pull["a b"]')

    @pytest.mark.parametrize("targets", [(), ("x.y",)])
    def test_no_registry_and_none_made(self, machine: Machine, targets: tuple[str, ...]) -> None:
        machine.export(evolve(facts(), registry_targets=targets))
        (machine.root / "fake" / "registry_url").unlink()
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", typed="no\n")
        assert done.code == 1
        assert done.calls("apply", "push") == []
        assert done.out == ""

    def test_no_pushes_nothing(self, machine: Machine) -> None:
        machine.export(facts())
        for typed in ("no\n", None):
            done = machine.run(PUSH_IMAGE, "--from", "a/b:1", typed=typed)
            assert done.code == 1
            assert done.calls("docker", "aws") == []

    def test_an_image_that_is_only_here(self, machine: Machine) -> None:
        machine.export(facts())
        machine.tell(pull="1")
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", "--yes")
        assert done.code == 0
        assert "the copy on this machine is taken" in done.err

    def test_a_push_that_fails_prints_nothing(self, machine: Machine) -> None:
        machine.export(facts())
        machine.tell(push="1")
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", "--yes")
        assert done.code == 1
        assert done.out == ""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((), "--build FOLDER or --from IMAGE"),
            (("--build", ".", "--from", "x"), "not both"),
            (("--build", "nowhere"), "no folder nowhere"),
            (("--from",), "--from wants a value"),
            (("--from", "x", "--tag", "a:b"), "--tag"),
            (("--from", "x", "--tag", "-a"), "--tag"),
        ],
    )
    def test_wrong_arguments(self, machine: Machine, arguments: tuple[str, ...], message: str) -> None:
        machine.export(facts())
        done = machine.run(PUSH_IMAGE, *arguments)
        assert done.code == 2
        assert message in done.err
        assert done.log == []

    def test_no_docker(self, machine: Machine) -> None:
        machine.export(facts())
        machine.lose("docker")
        done = machine.run(PUSH_IMAGE, "--from", "a/b:1", "--yes")
        assert done.code == 1
        assert "neither docker nor podman is on PATH" in done.err
