"""`aether_infra.cdk.bindings`: lazy bindings must be the stock ones, but for the time they take.

Each program runs in a process of its own, since what is imported, and the kernel, last as long as a process.
`stock` below is the one run that pays for the stock way with the AWS bindings; everything about modules alone
is tried with a toy package of the same generated form.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from aether_infra.cdk import bindings, kernel
from aether_infra.errors import MissingExtraError

AWS = "cdktf_cdktf_provider_aws"
OURS = ("AETHER_", "JSII_", "NODE_OPTIONS", "CDKTF_")
NODE = dict(kernel._bundled_node()).get("JSII_NODE", "node")  # noqa: SLF001


def environment(**changes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | changes


def run(program: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in a folder; it sees nothing of our own configuration."""
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=folder, env=environment(**env), capture_output=True, text=True, check=False
    )


def facts(program: str, folder: Path, **env: str) -> dict[str, Any]:
    """Run a program that prints one JSON object last."""
    done = run(program, folder, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# ----------------------------------------------------------------------------------------------------
# The AWS bindings: the same stack both ways
# ----------------------------------------------------------------------------------------------------

STACK = """
import json, sys
from aether_infra.cdk import bindings

lazy = bindings.require("cdktf_cdktf_provider_aws", extra="aws")

from cdktf import App, Aspects, Fn, IAspect, LocalBackend, TerraformOutput, TerraformStack
import cdktf_cdktf_provider_aws as aws
from cdktf_cdktf_provider_aws import s3_bucket, sns_topic
from cdktf_cdktf_provider_aws.data_aws_availability_zones import DataAwsAvailabilityZones
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_listener import LbListener, LbListenerDefaultAction
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.security_group import SecurityGroup, SecurityGroupIngress
from cdktf_cdktf_provider_aws.wafv2_web_acl import (
    Wafv2WebAcl,
    Wafv2WebAclDefaultAction,
    Wafv2WebAclDefaultActionAllow,
    Wafv2WebAclVisibilityConfig,
)
import jsii


@jsii.implements(IAspect)
class Names:
    def __init__(self):
        self.seen = []

    def visit(self, node):
        self.seen.append(f"{type(node).__name__} {node.node.path}")


app = App(outdir="out")
stack = TerraformStack(app, "toy")
LocalBackend(stack, path="toy.tfstate")
tags = AwsProviderDefaultTags(tags={"b": "2", "a": "1"})
AwsProvider(stack, "aws", region="eu-central-1", default_tags=[tags])
zones = DataAwsAvailabilityZones(stack, "zones", state="available")
aws.data_aws_caller_identity.DataAwsCallerIdentity(stack, "me")
principal = DataAwsIamPolicyDocumentStatementPrincipals(type="Service", identifiers=["ec2.amazonaws.com"])
trust = DataAwsIamPolicyDocument(stack, "trust", statement=[
    DataAwsIamPolicyDocumentStatement(actions=["sts:AssumeRole"], principals=[principal])
])
vpc = aws.vpc.Vpc(stack, "vpc", cidr_block="10.0.0.0/16", tags={"Name": "toy"})
subnet = aws.subnet.Subnet(
    stack, "subnet", vpc_id=vpc.id, cidr_block="10.0.0.0/24", availability_zone=Fn.element(zones.names, 0)
)
group = SecurityGroup(stack, "group", vpc_id=vpc.id, ingress=[
    SecurityGroupIngress(from_port=80, to_port=80, protocol="tcp", cidr_blocks=["0.0.0.0/0"])
])
expiration = s3_bucket.S3BucketLifecycleRuleExpiration(days=30)
bucket = s3_bucket.S3Bucket(stack, "bucket", bucket_prefix="toy", lifecycle_rule=[
    s3_bucket.S3BucketLifecycleRule(enabled=True, expiration=expiration)
])
bucket.put_versioning(enabled=True)
sns_topic.SnsTopic(stack, "topic", name="toy")
balancer = Lb(stack, "lb", name="toy", subnets=[subnet.id], security_groups=[group.id])
target = aws.lb_target_group.LbTargetGroup(
    stack, "target", port=80, protocol="HTTP", vpc_id=vpc.id,
    health_check=aws.lb_target_group.LbTargetGroupHealthCheck(path="/"),
)
LbListener(stack, "listener", load_balancer_arn=balancer.arn, port=80, default_action=[
    LbListenerDefaultAction(type="forward", target_group_arn=target.arn)
])
aws.iam_role.IamRole(stack, "role", assume_role_policy=trust.json)
aws.cloudwatch_log_group.CloudwatchLogGroup(stack, "log", retention_in_days=30)
aws.ecs_cluster.EcsCluster(stack, "cluster", name="toy", setting=[
    aws.ecs_cluster.EcsClusterSetting(name="containerInsights", value="enabled")
])
Wafv2WebAcl(
    stack, "waf", scope="REGIONAL",
    default_action=Wafv2WebAclDefaultAction(allow=Wafv2WebAclDefaultActionAllow()),
    visibility_config=Wafv2WebAclVisibilityConfig(
        cloudwatch_metrics_enabled=True, metric_name="toy", sampled_requests_enabled=True
    ),
)
TerraformOutput(stack, "versioning", value=bucket.versioning.enabled)
names = Names()
Aspects.of(stack).add(names)

# An object that JavaScript made, of a class that Python has not met.
from jsii._kernel.types import CreateRequest
from jsii._runtime import kernel
kernel.provider.create(CreateRequest(
    fqn="@cdktf/provider-aws.route53Zone.Route53Zone",
    args=[stack, "made-in-javascript", {"$jsii.struct": {
        "fqn": "@cdktf/provider-aws.route53Zone.Route53ZoneConfig", "data": {"name": "example.com"}}}],
), )
made = stack.node.find_child("made-in-javascript")
before = "cdktf_cdktf_provider_aws.route53_zone" in sys.modules
app.synth()


def refusal(action):
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def missing():
    from cdktf_cdktf_provider_aws import nonsense


print(json.dumps({
    "lazy": lazy,
    "modules": sorted(name for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.")),
    "seen": names.seen,
    "made": [type(made).__module__, type(made).__name__, made.name_input],
    "all": aws.__all__,
    "dir": dir(aws),
    "private dir": dir(aws._private),
    "doc": aws.__doc__,
    "file": [aws.__file__, aws.__name__, aws.__package__, list(aws.__path__), aws.__spec__.name],
    "version": refusal(lambda: aws.__version__),
    "assembly": [refusal(lambda: aws.__jsii_assembly__), aws._private.__jsii_assembly__.version],
    "nonsense": [hasattr(aws, "nonsense"), refusal(lambda: aws.nonsense), refusal(missing)],
    "wrong type": refusal(lambda: aws.vpc.Vpc(stack, "wrong", cidr_block=7)),
    "wrong argument": refusal(lambda: aws.vpc.Vpc(stack, "wrong", nonsense=7)),
    "duplicate": refusal(lambda: aws.vpc.Vpc(stack, "vpc", cidr_block="10.0.0.0/16")),
}))
"""

COUNT_FILES = """
if ((process.argv[1] ?? "").endsWith("program.js")) {
  process.on("exit", () => {
    const found = { files: Object.keys(require.cache).length, options: process.env.NODE_OPTIONS };
    require("node:fs").writeFileSync("files.json", JSON.stringify(found));
  });
}
"""


def synthesized(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class Run:
    """One run of a program, in a folder of its own, with a NODE_OPTIONS of the user's that counts files."""

    def __init__(self, folder: Path, program: str = STACK, **env: str) -> None:
        counter = folder / "count files.cjs"
        counter.write_text(COUNT_FILES)
        self.options = f'--require "{counter}"'
        self.facts = facts(program, folder, NODE_OPTIONS=self.options, **env)
        self.node = json.loads((folder / "files.json").read_text())
        self.output = synthesized(folder)


@pytest.fixture(scope="module")
def lazy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("lazy"))


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("stock"), **{bindings.OPT_OUT: "1"})


def test_only_used_submodules_are_imported(lazy: Run, stock: Run) -> None:
    assert lazy.facts["lazy"]
    assert not stock.facts["lazy"]
    assert len(stock.facts["modules"]) > 2000
    named = set(re.findall(r"(?:from cdktf_cdktf_provider_aws\.|\baws\.)(\w+)(?= import|\.[A-Z])", STACK))
    named = named - {"route53Zone"} | {"route53_zone", "s3_bucket", "sns_topic"}
    loaded = {name.split(".")[1] for name in lazy.facts["modules"]} - {"_jsii", "_private"}
    assert loaded == named


def test_node_reads_a_fraction_of_the_files(lazy: Run, stock: Run) -> None:
    assert stock.node["files"] > 2000
    assert lazy.node["files"] < 250


def test_the_same_bytes_are_synthesized(lazy: Run, stock: Run) -> None:
    assert "out/stacks/toy/cdk.tf.json" in lazy.output
    assert lazy.output == stock.output


def test_a_program_sees_the_stock_package(lazy: Run, stock: Run) -> None:
    differ = {"lazy", "modules"}
    assert {name: value for name, value in lazy.facts.items() if name not in differ} == {
        name: value for name, value in stock.facts.items() if name not in differ
    }
    assert lazy.facts["nonsense"][0] is False


def test_a_type_is_found_when_only_javascript_made_it(lazy: Run) -> None:
    assert lazy.facts["made"] == [f"{AWS}.route53_zone", "Route53Zone", "example.com"]
    assert "Route53Zone toy/made-in-javascript" in lazy.facts["seen"]


def test_the_users_node_options_hold_for_the_kernel_and_nothing_else_reaches_its_children(lazy: Run) -> None:
    assert lazy.node["options"] == lazy.options


def test_every_submodule_is_known_to_jsii_by_its_javascript_name() -> None:
    spec = find_spec(AWS)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    wrong = {}
    for init in sorted(package.glob("[a-z]*/__init__.py")):
        with init.open(encoding="utf-8") as file:
            types = (re.search(r'jsii_type="([^"]+)"', line) for line in file)
            name = next(match[1] for match in types if match)
        ours = bindings._camel_case(init.parent.name)  # noqa: SLF001
        if name.split(".")[1] != ours:
            wrong[name] = ours
    assert wrong == {}


def test_with_a_running_kernel_python_alone_is_lazy(tmp_path: Path, lazy: Run) -> None:
    late = Run(tmp_path, program=f"import cdktf\n{STACK}")
    assert late.facts == lazy.facts
    assert late.node["files"] > 2000
    assert late.output == lazy.output


# ----------------------------------------------------------------------------------------------------
# A toy package of the generated form: what a module can be asked
# ----------------------------------------------------------------------------------------------------

SUBMODULES = ("first_thing", "second_thing", "third_thing")
HEAD = '''r"""
# A toy
"""
from pkgutil import extend_path
__path__ = extend_path(__path__, __name__)

import publication

from ._jsii import *

__all__ = [
    "first_thing",
    "second_thing",
    "third_thing",
]

publication.publish()

# Loading modules to ensure their types are registered with the jsii runtime library
'''
TAIL = "".join(f"from . import {name}\n" for name in SUBMODULES)
JSII = """
import types
import publication
__jsii_assembly__ = types.SimpleNamespace(name="@toy/toy", version="1.0.0")
__all__ = ["__jsii_assembly__"]
publication.publish()
"""


def make_toy(folder: Path, init: str = HEAD + TAIL) -> None:
    package = folder / "toy"
    for name, source in {"": init, "_jsii": JSII}.items():
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text(source)
    for name in SUBMODULES:
        (package / name).mkdir()
        (package / name / "__init__.py").write_text(
            "import time, toy_log\ntoy_log.seen.append(__name__)\ntime.sleep(0.01)\nclass Thing:\n    pass\n"
        )
    (folder / "toy_log.py").write_text("seen = []\n")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    make_toy(tmp_path)
    return tmp_path


LAZY = "import sys, json\nfrom aether_infra.cdk import bindings\nlazy = bindings.make_lazy('toy')\n"
REPORT = "import toy_log\nprint(json.dumps({'lazy': lazy, 'seen': toy_log.seen}))\n"

QUESTIONS = {
    "attribute": "import toy; print(toy.first_thing.Thing, toy.second_thing)",
    "submodule": "import toy.second_thing; print(toy.second_thing.Thing)",
    "from package": "from toy import third_thing, first_thing; print(third_thing, first_thing)",
    "star": "from toy import *; print(sorted(name for name in globals() if name.endswith('thing')))",
    "dir": "import toy; print(dir(toy), toy.__all__, toy.__doc__)",
    "dir after use": "import toy; toy.first_thing; print(dir(toy), dir(toy._private))",
    "private": "import toy; print(toy._private.second_thing.Thing, toy._private.__jsii_assembly__)",
    "nonsense": "import toy; print(hasattr(toy, 'nonsense')); toy.nonsense",
    "nonsense from": "from toy import nonsense",
    "nonsense module": "import toy.nonsense",
    "not published": "import toy; toy.publication",
    "reload": "import importlib, toy; toy.first_thing; new = importlib.reload(toy)\n"
    "print(new.__all__, new.second_thing.Thing, dir(new), sys.modules['toy'] is new)",
    "import again": "import toy; del sys.modules['toy']; import toy as new; print(new is toy, new.__all__)",
    "pickle a class": "import pickle, toy; print(pickle.loads(pickle.dumps(toy.first_thing.Thing)))",
    "pickle the module": "import pickle, toy; pickle.dumps(toy)",
    "copy the module": "import copy, toy; copy.deepcopy(toy)",
    "patch": "from unittest import mock; import toy\n"
    "with mock.patch('toy.first_thing.Thing', 7): print(toy.first_thing.Thing)\n"
    "with mock.patch.object(toy, 'second_thing', 8): print(toy.second_thing)\nprint(toy.second_thing)",
    "set and delete": "import toy; toy.first_thing = 1; print(toy.first_thing); toy.new = 2; print(toy.new)",
    "walk": "import pkgutil, toy; print([module.name for module in pkgutil.iter_modules(toy.__path__)])",
    "resources": "import importlib.resources as r; print(r.files('toy').joinpath('_jsii').is_dir())",
    "source": "import inspect, toy; print(len(inspect.getsource(toy)), inspect.getfile(toy))",
    "identity": "import toy; print(toy, toy.__spec__.origin, toy.__cached__, toy.__package__)",
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_module_answers_as_the_stock_one(toy: Path, question: str) -> None:
    lazy = run(f"{LAZY}assert lazy\n{question}", toy)
    stock = run(f"{LAZY}assert not lazy\n{question}", toy, **{bindings.OPT_OUT: "1"})
    assert (lazy.stdout, lazy.returncode) == (stock.stdout, stock.returncode)
    assert lazy.stderr.splitlines()[-1:] == stock.stderr.splitlines()[-1:]


def test_a_submodule_is_imported_at_first_use(toy: Path) -> None:
    assert facts(f"{LAZY}import toy\n{REPORT}", toy)["seen"] == []
    assert facts(f"{LAZY}import toy\ntoy.second_thing\n{REPORT}", toy)["seen"] == ["toy.second_thing"]


def test_threads_import_each_submodule_once(toy: Path) -> None:
    program = """
import importlib
from concurrent.futures import ThreadPoolExecutor

def use(number):
    assert bindings.make_lazy("toy")
    name = ("first_thing", "second_thing", "third_thing")[number % 3]
    if number % 2:
        return importlib.import_module(f"toy.{name}").Thing
    return getattr(importlib.import_module("toy"), name).Thing

with ThreadPoolExecutor(16) as pool:
    things = set(pool.map(use, range(96)))
assert len(things) == 3, things
"""
    found = facts(f"{LAZY}{program}{REPORT}", toy)
    assert sorted(found["seen"]) == [f"toy.{name}" for name in SUBMODULES]


# ----------------------------------------------------------------------------------------------------
# Where an assumption does not hold, the stock way
# ----------------------------------------------------------------------------------------------------

EVERYTHING = [f"toy.{name}" for name in SUBMODULES]


@pytest.mark.parametrize("opted_out", ["1", "yes"])
def test_opted_out(toy: Path, opted_out: str) -> None:
    program = f"{LAZY}assert not bindings.activate()\nimport toy\n{REPORT}"
    found = facts(program, toy, **{bindings.OPT_OUT: opted_out})
    assert found == {"lazy": False, "seen": EVERYTHING}


@pytest.mark.parametrize("not_opted_out", ["", "0"])
def test_not_opted_out(toy: Path, not_opted_out: str) -> None:
    assert facts(f"{LAZY}import toy\n{REPORT}", toy, **{bindings.OPT_OUT: not_opted_out})["lazy"]


def test_imported_before(toy: Path) -> None:
    assert facts(f"import toy\n{LAZY}{REPORT}", toy) == {"lazy": False, "seen": EVERYTHING}


@pytest.mark.parametrize(
    "init",
    [
        HEAD + TAIL + "answer = 42\n",
        HEAD + TAIL + "def __getattr__(name):\n    raise AttributeError(name)\n",
        HEAD.replace("publication.publish()", "publication.publish( )") + TAIL,
        HEAD + TAIL.replace("import first", "import first_thing as first"),
        HEAD,
        "from . import first_thing\n",
        "",
        HEAD + TAIL.replace("\n", "  # why\n"),
    ],
    ids=[
        "more code",
        "born lazy",
        "other call",
        "other import",
        "no imports",
        "no publish",
        "empty",
        "comments",
    ],
)
def test_package_of_another_form(tmp_path: Path, init: str) -> None:
    make_toy(tmp_path, init)
    assert not facts(f"{LAZY}import toy, toy.first_thing\n{REPORT}", tmp_path)["lazy"]


@pytest.mark.parametrize("source", [b"\xff\xfe", b"# coding: nonsense\n"], ids=["no text", "no encoding"])
def test_package_that_cannot_be_read(toy: Path, source: bytes) -> None:
    (toy / "toy/__init__.py").write_bytes(source)
    found = facts(f"{LAZY}try:\n    import toy\nexcept SyntaxError: print('as stock')\n{REPORT}", toy)
    assert not found["lazy"]


def test_package_in_a_zip_file(toy: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "toy.zip", "w") as archive:
        for path in [toy / "toy_log.py", *(toy / "toy").rglob("*.py")]:
            archive.write(path, path.relative_to(toy))
    other = tmp_path / "other"
    other.mkdir()
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'toy.zip')!r})\n{LAZY}import toy\n{REPORT}"
    assert facts(program, other) == {"lazy": False, "seen": EVERYTHING}


def test_jsii_that_does_not_look_for_types(toy: Path) -> None:
    old = "import jsii._reference_map as old; del old._submodule_fqn_map\n"
    assert facts(f"{old}{LAZY}import toy\n{REPORT}", toy) == {"lazy": False, "seen": EVERYTHING}


def test_jsii_with_other_private_parts(toy: Path) -> None:
    new = "import jsii._kernel.providers.process as new; new._Process = new._NodeProcess\n"
    program = f"{new}del new._NodeProcess\n{LAZY}assert not bindings.activate()\nimport toy\n{REPORT}"
    assert facts(program, toy) == {"lazy": True, "seen": []}


def test_file_that_changed_since_keeps_its_meaning(toy: Path) -> None:
    change = "open('toy/__init__.py', 'a').write('answer = 42\\n')\n"
    found = facts(f"{LAZY}{change}import toy\ntoy.first_thing\n{REPORT}", toy)
    assert found == {"lazy": True, "seen": ["toy.first_thing"]}


# ----------------------------------------------------------------------------------------------------
# What is not installed
# ----------------------------------------------------------------------------------------------------


def test_missing_bindings_name_their_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'aether-infra\[nonsense\]'") as caught:
        bindings.require("cdktf_cdktf_provider_nonsense", extra="nonsense")
    assert caught.value.module == "cdktf_cdktf_provider_nonsense"


@pytest.mark.parametrize("module", ["cdktf", "jsii"])
def test_missing_cdktf_names_the_extra(toy: Path, module: str) -> None:
    program = f"""
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {module!r} else real(name, *rest)
from aether_infra.cdk import bindings
bindings.require("toy", extra="aws")
"""
    done = run(program, toy)
    assert done.stderr.splitlines()[-1] == (
        f"aether_infra.errors.MissingExtraError: {module} is not installed: pip install 'aether-infra[aws]'"
    )


def test_make_lazy_leaves_a_missing_package_to_the_import(tmp_path: Path) -> None:
    done = run(f"{LAZY}assert not lazy\nimport toy", tmp_path)
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'toy'"


def test_other_import_errors_are_not_swallowed(toy: Path) -> None:
    (toy / "toy/_jsii/__init__.py").write_text("import something_else\n")
    done = run(f"{LAZY}assert lazy\nimport toy", toy)
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'something_else'"


# ----------------------------------------------------------------------------------------------------
# The kernel: its environment, and how it starts
# ----------------------------------------------------------------------------------------------------

KERNEL = """
import json, os, subprocess, sys
from pathlib import Path
before = dict(os.environ)
from aether_infra.cdk import bindings, kernel
"""
SMALL_STACK = """
from cdktf import App, TerraformOutput, TerraformStack
app = App(outdir="out")
TerraformOutput(TerraformStack(app, "small"), "answer", value={"answers": [42]})
app.synth()
assert "42" in Path("out/stacks/small/cdk.tf.json").read_text()
"""


@pytest.mark.parametrize(
    "env", [{}, {"NODE_OPTIONS": "--no-warnings", "JSII_NODE": NODE}], ids=["none", "set"]
)
def test_the_environment_is_as_before(tmp_path: Path, env: dict[str, str]) -> None:
    program = f"""{KERNEL}
assert bindings.activate() and bindings.activate()
assert dict(os.environ) == before
command = [{NODE!r}, "-p", "process.env.NODE_OPTIONS ?? null"]
show = subprocess.run(command, stdout=subprocess.PIPE, check=True)
{SMALL_STACK}
assert dict(os.environ) == before
print(json.dumps({{"child": show.stdout.decode().strip()}}))
"""
    assert facts(program, tmp_path, **env)["child"] == env.get("NODE_OPTIONS", "null")


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for node")
class TestNode:
    @staticmethod
    def script(folder: Path, *lines: str) -> str:
        path = folder / "a node.sh"
        path.write_text("\n".join(["#!/bin/sh", *lines, f'exec "{NODE}" "$@"', ""]))
        path.chmod(0o755)
        return str(path)

    def test_the_users_choice_is_kept(self, tmp_path: Path) -> None:
        node = self.script(tmp_path, f'echo yes > "{tmp_path}/chosen"')
        done = run(f"{KERNEL}assert bindings.activate()\n{SMALL_STACK}", tmp_path, JSII_NODE=node)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "chosen").exists()

    @pytest.mark.parametrize("fault", ["exit 1", "echo nonsense; cat > /dev/null; exit 0"])
    def test_one_that_fails_with_our_options_starts_again_without(self, tmp_path: Path, fault: str) -> None:
        node = self.script(tmp_path, f'if [ -n "${{{kernel.ORIGINAL_OPTIONS}+x}}" ]; then {fault}; fi')
        done = run(f"{KERNEL}assert bindings.activate('cdktf')\n{SMALL_STACK}", tmp_path, JSII_NODE=node)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("opted_out", ["", "1"])
    def test_none_at_all_fails_as_stock(self, tmp_path: Path, opted_out: str) -> None:
        env = {"JSII_NODE": str(tmp_path / "nowhere"), bindings.OPT_OUT: opted_out}
        done = run(f"{KERNEL}assert not bindings.activate()\nimport cdktf", tmp_path, **env)
        assert "FileNotFoundError: [Errno 2] No such file or directory" in done.stderr


def test_loading_that_fails_starts_again_and_loads_as_stock(tmp_path: Path) -> None:
    program = f"""{KERNEL}
from jsii._kernel.types import LoadRequest
kernel.load_requests = lambda package: [LoadRequest("nonsense", "1.0.0", "/nowhere/nonsense.tgz")]
assert bindings.activate("cdktf")
{SMALL_STACK}"""
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_broken_archive_fails_with_the_stock_error(tmp_path: Path) -> None:
    program = f"""{KERNEL}
def request(package, real=kernel.load_requests):
    constructs, cdktf = real(package)
    return [constructs, type(cdktf)(cdktf.name, cdktf.version, os.path.abspath("broken.tgz"))]
kernel.load_requests = request
open("broken.tgz", "wb").write(b"broken")
activated = bindings.activate("cdktf")
import jsii
broken = request("cdktf")[1]
jsii.kernel.load(request("cdktf")[0].name, request("cdktf")[0].version, request("cdktf")[0].tarball)
try:
    jsii.kernel.load(broken.name, broken.version, broken.tarball)
    jsii.stats()
except Exception as error:
    print(json.dumps({{"error": type(error).__name__, "activated": activated}}))
"""
    ours = facts(program, tmp_path)
    assert ours["activated"]
    assert ours["error"] == facts(program, tmp_path, **{bindings.OPT_OUT: "1"})["error"]


def test_requests_are_what_the_packages_ask_for(tmp_path: Path) -> None:
    requests = kernel.load_requests(AWS)
    assert [request.name for request in requests] == ["constructs", "cdktf", "@cdktf/provider-aws"]
    assert all(Path(request.tarball).is_file() for request in requests)
    assert kernel.load_requests("json") == []
    assert kernel.load_requests("cdktf_cdktf_provider_nonsense") == []
    program = f"""{KERNEL}
assert bindings.activate("cdktf")
import cdktf, jsii
process = jsii.kernel.provider._process
assert process._asked == process._promised, "a load was asked for in other words than ours"
assert not process._settled, "importing cdktf waits for the kernel"
"""
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr


def test_synthesis_prints_nothing(tmp_path: Path) -> None:
    done = run(f"{KERNEL}assert bindings.activate()\n{SMALL_STACK}", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cdktf_still_zips_assets(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("hello")
    program = f"""{KERNEL}
assert bindings.activate("cdktf")
from cdktf import App, AssetType, TerraformAsset, TerraformStack
app = App(outdir="out")
TerraformAsset(TerraformStack(app, "small"), "site", path=os.path.abspath("site"), type=AssetType.ARCHIVE)
app.synth()
"""
    path = os.pathsep.join([str(Path(NODE).parent), os.environ["PATH"]])  # cdktf calls plain `node` for it
    done = run(program, tmp_path, PATH=path)
    assert done.returncode == 0, done.stderr
    (archive,) = (tmp_path / "out").rglob("*.zip")
    assert zipfile.ZipFile(archive).namelist() == ["index.html"]


# ----------------------------------------------------------------------------------------------------
# The preload, in a node of its own
# ----------------------------------------------------------------------------------------------------

INDEX = """"use strict";
/**
 * Licence
 */
Object.defineProperty(exports, "__esModule", { value: true });
exports.second = exports.first = void 0;
// https://example.com
exports.first = require("./first");
exports.second = require("./second");
"""
PROGRAM = """
const index = require("../package/lib/index.js");
const files = () => Object.keys(require.cache).filter((file) => /(first|second)\\.js$/.test(file)).length;
const before = files();
const keys = [...Object.keys(index), index.__esModule, index.first.value, index.first === index.first];
const after = files();
index.second = 7;
const options = process.env.NODE_OPTIONS ?? null;
const mark = process.env.MARK ?? null;
console.log(JSON.stringify({ before, after, keys, set: index.second, options, mark }));
""".replace("MARK", kernel.ORIGINAL_OPTIONS)


def preloaded(folder: Path, index: str, *flags: str, **env: str) -> dict[str, Any]:
    """Run a program like the kernel's, with the preload, over a package with the given index."""
    (folder / "lib").mkdir()
    (folder / "lib/program.js").write_text(PROGRAM)
    (folder / "package/lib").mkdir(parents=True)
    (folder / "package/lib/index.js").write_text(index)
    for name in ("first", "second"):
        (folder / f"package/lib/{name}.js").write_text(f"exports.value = '{name}';")
    command = [NODE, "--require", str(kernel.PRELOAD), *flags, "lib/program.js"]
    done = subprocess.run(
        command, cwd=folder, env=environment(**env), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


AS_KERNEL = {"JSII_AGENT": "Python/3", kernel.ORIGINAL_OPTIONS: "", "NODE_OPTIONS": "--no-warnings"}
KEYS = ["first", "second", True, "first", True]


def test_an_index_becomes_lazy(tmp_path: Path) -> None:
    found = preloaded(tmp_path, INDEX, "--preserve-symlinks", **AS_KERNEL)
    assert found == {"before": 0, "after": 1, "keys": KEYS, "set": 7, "options": None, "mark": None}


def test_the_users_node_options_come_back(tmp_path: Path) -> None:
    env = AS_KERNEL | {kernel.ORIGINAL_OPTIONS: "--no-deprecation"}
    assert preloaded(tmp_path, INDEX, "--preserve-symlinks", **env)["options"] == "--no-deprecation"


@pytest.mark.parametrize(
    "index",
    [
        INDEX + "exports.third = 3;\n",
        INDEX + 'console.error("side effect");\n',
        INDEX.replace('require("./second")', '__importStar(require("./second"))').replace(
            '"use strict";', '"use strict"; const __importStar = (module) => module;'
        ),
    ],
    ids=["value", "effect", "helper"],
)
def test_an_index_of_another_form_is_left_alone(tmp_path: Path, index: str) -> None:
    found = preloaded(tmp_path, index, "--preserve-symlinks", **AS_KERNEL)
    assert (found["before"], found["after"], found["set"]) == (2, 2, 7)


@pytest.mark.parametrize("missing", ["JSII_AGENT", kernel.ORIGINAL_OPTIONS, "--preserve-symlinks"])
def test_in_another_process_the_preload_does_nothing(tmp_path: Path, missing: str) -> None:
    env = {name: value for name, value in AS_KERNEL.items() if name != missing}
    flags = [flag for flag in ["--preserve-symlinks"] if flag != missing]
    found = preloaded(tmp_path, INDEX, *flags, **env)
    assert (found["before"], found["after"], found["options"]) == (2, 2, "--no-warnings")
    assert found["keys"] == KEYS
