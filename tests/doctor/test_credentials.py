"""Credentials: found where Terraform looks for them, and never told."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from fake_machine import GOOD, fake_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aether_infra.catalog.terraform import BACKENDS
from aether_infra.config import Provider, StateConfig
from aether_infra.doctor import credentials, state
from aether_infra.doctor.examine import examine
from aether_infra.doctor.finding import Look
from aether_infra.doctor.machine import Machine
from aether_infra.doctor.needs import Needs, StatePlace

SECRET = "S3nt1nel-of-a-secret"  # noqa: S105 - what must not be told


def put(machine: Machine, path: str, text: str) -> Path:
    file = machine.home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def answer(look: Look | None) -> tuple[bool, str]:
    assert look is not None
    return look.good, look.found


@pytest.mark.parametrize("cloud", credentials.CLOUDS, ids=str)
def test_none(cloud: Provider, tmp_path: Path) -> None:
    look = credentials.CLOUDS[cloud](fake_machine(tmp_path))
    assert (look.good, look.found) == (False, "none found")
    assert look.fix


@pytest.mark.parametrize(
    ("cloud", "env", "good"),
    [
        ("aws", "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY", True),
        ("aws", "AWS_ACCESS_KEY_ID", False),
        ("aws", "AWS_SECRET_ACCESS_KEY", False),
        ("aws", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", True),
        ("aws", "AWS_WEB_IDENTITY_TOKEN_FILE", False),
        ("aws", "AWS_PROFILE", False),
        ("gcp", "GOOGLE_OAUTH_ACCESS_TOKEN", True),
        ("gcp", "GOOGLE_APPLICATION_CREDENTIALS", False),
        ("azure", "ARM_CLIENT_ID ARM_TENANT_ID ARM_CLIENT_SECRET", True),
        ("azure", "ARM_CLIENT_ID ARM_CLIENT_SECRET", False),
        ("azure", "ARM_CLIENT_ID ARM_TENANT_ID", False),
        ("azure", "ARM_CLIENT_ID ARM_TENANT_ID ARM_CLIENT_CERTIFICATE_PATH", False),
        ("digitalocean", "DIGITALOCEAN_TOKEN", True),
        ("digitalocean", "DIGITALOCEAN_ACCESS_TOKEN", True),
        ("oracle", "OCI_TENANCY_OCID OCI_USER_OCID OCI_FINGERPRINT OCI_PRIVATE_KEY", True),
        ("oracle", "TF_VAR_tenancy_ocid TF_VAR_user_ocid TF_VAR_fingerprint TF_VAR_private_key", True),
        ("oracle", "OCI_TENANCY_OCID OCI_USER_OCID OCI_FINGERPRINT OCI_PRIVATE_KEY_PATH", False),
        ("oracle", "OCI_USER_OCID OCI_FINGERPRINT OCI_PRIVATE_KEY", False),
    ],
)
def test_the_environment(cloud: str, env: str, good: bool, tmp_path: Path) -> None:  # noqa: FBT001 - an expectation
    machine = fake_machine(tmp_path, env=dict.fromkeys(env.split(), SECRET))
    assert credentials.CLOUDS[Provider(cloud)](machine).good is good


@pytest.mark.parametrize("switch", credentials.ARM_IDENTITIES)
def test_an_identity_of_the_pipeline_at_azure(switch: str, tmp_path: Path) -> None:
    assert credentials.azure(fake_machine(tmp_path, env={switch: "true"})).good
    assert not credentials.azure(fake_machine(tmp_path, env={switch: "false"})).good


def test_a_principal_at_oracle(tmp_path: Path) -> None:
    assert credentials.oracle(fake_machine(tmp_path, env={"OCI_AUTH": "InstancePrincipal"})).good
    assert not credentials.oracle(fake_machine(tmp_path, env={"OCI_AUTH": "ApiKey"})).good


def test_profiles_of_aws(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    put(
        machine,
        ".aws/config",
        "[default]\nregion = eu-west-1\n[profile shop]\nsso_session = x\n[sso-session x]\n",
    )
    assert not credentials.aws(machine).good, "a region is no credential"
    assert answer(credentials.aws(machine, "shop")) == (True, "the profile of the state names a profile")
    assert not credentials.aws(machine, "default").good
    assert not credentials.aws(machine, "x").good
    named = fake_machine(tmp_path, env={"AWS_PROFILE": "shop"})
    assert credentials.aws(named).good
    put(
        machine,
        ".aws/credentials",
        f"[default]\naws_access_key_id = {SECRET}\naws_secret_access_key = {SECRET}%\n",
    )
    assert answer(credentials.aws(machine)) == (True, "the default profile in ~/.aws")
    elsewhere = fake_machine(tmp_path, env={"AWS_SHARED_CREDENTIALS_FILE": "/nowhere"})
    assert not credentials.aws(elsewhere).good


def test_files_of_google(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    put(machine, ".config/gcloud/credentials.db", SECRET)
    assert "no application default credentials" in credentials.gcp(machine).found
    put(machine, ".config/gcloud/application_default_credentials.json", SECRET)
    assert credentials.gcp(machine).good
    key = put(machine, "key.json", SECRET)
    for variable in (*credentials.GOOGLE_KEYS, "GOOGLE_APPLICATION_CREDENTIALS"):
        assert answer(credentials.gcp(fake_machine(tmp_path, env={variable: str(key)}))) == (
            True,
            f"{variable} names a file",
        )
    written = fake_machine(tmp_path, env={"GOOGLE_CREDENTIALS": json.dumps({"private_key": SECRET})})
    assert credentials.gcp(written).good


def test_the_login_of_az(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    put(machine, ".azure/azureProfile.json", "\ufeff" + json.dumps({"subscriptions": []}))
    assert not credentials.azure(machine).good
    put(machine, ".azure/azureProfile.json", "\ufeff" + json.dumps({"subscriptions": [{"id": SECRET}]}))
    assert answer(credentials.azure(machine)) == (True, "the login of az")
    assert credentials.kubelogin(machine).good
    without = fake_machine(tmp_path, programs={})
    assert answer(credentials.azure(without)) == (False, "az has a login, but is not on PATH")
    assert not credentials.kubelogin(without).good
    assert credentials.kubelogin(fake_machine(tmp_path, programs={}, env={"AAD_LOGIN_METHOD": "spn"})).good
    put(machine, ".azure/azureProfile.json", "nothing that anybody can read")
    assert not credentials.azure(machine).good


def test_doctl_does_not_know_the_variable_of_terraform(tmp_path: Path) -> None:
    assert not credentials.doctl(fake_machine(tmp_path, env={"DIGITALOCEAN_TOKEN": SECRET})).good
    assert credentials.doctl(fake_machine(tmp_path, env={"DIGITALOCEAN_ACCESS_TOKEN": SECRET})).good
    machine = fake_machine(tmp_path)
    put(machine, ".config/doctl/config.yaml", f"access-token: {SECRET}\n")
    assert credentials.doctl(machine).good


def test_the_file_of_oracle(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    put(machine, ".oci/config", f"[DEFAULT]\nuser = {SECRET}\nkey_file = ~/.oci/key.pem\n[shop]\nuser = x\n")
    assert answer(credentials.oracle(machine)) == (False, "~/.oci/config names a key_file that is not there")
    put(machine, ".oci/key.pem", SECRET)
    assert answer(credentials.oracle(machine)) == (True, "~/.oci/config")
    shop = fake_machine(tmp_path, env={"OCI_CONFIG_FILE_PROFILE": "shop"})
    assert credentials.oracle(shop).good, "a profile takes from DEFAULT what it does not say"
    none = fake_machine(tmp_path, env={"TF_VAR_config_file_profile": SECRET})
    assert answer(credentials.oracle(none)) == (
        False,
        "OCI_CONFIG_FILE_PROFILE names a profile that ~/.oci/config does not have",
    )


def test_kubeconfig(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    assert not credentials.kubeconfig(machine, "~/.kube/config").good
    put(machine, ".kube/config", SECRET)
    assert credentials.kubeconfig(machine, "~/.kube/config").good


@pytest.mark.parametrize(
    ("backend", "settings", "env", "good"),
    [
        ("s3", {"profile": "shop"}, "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY", False),
        ("s3", {}, "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY", True),
        ("gcs", {}, "GOOGLE_BACKEND_CREDENTIALS", True),
        ("gcs", {}, "", False),
        ("azurerm", {}, "ARM_ACCESS_KEY", True),
        ("azurerm", {}, "", False),
        ("remote", {}, "TF_TOKEN_app_terraform_io", True),
        ("remote", {"hostname": "tfe.my-firm.io"}, "TF_TOKEN_app_terraform_io", False),
        ("cloud", {"hostname": "tfe.my-firm.io"}, "TF_TOKEN_tfe_my__firm_io", True),
        ("pg", {}, "PG_CONN_STR", True),
        ("pg", {}, "", False),
        ("cos", {}, "TENCENTCLOUD_SECRET_ID TENCENTCLOUD_SECRET_KEY", True),
        ("cos", {}, "TENCENTCLOUD_SECRET_ID", False),
        ("oss", {}, "ALICLOUD_ACCESS_KEY ALICLOUD_SECRET_KEY", True),
    ],
)
def test_state(backend: str, settings: dict[str, str], env: str, good: bool, tmp_path: Path) -> None:  # noqa: FBT001 - an expectation
    machine = fake_machine(tmp_path, env=dict.fromkeys(env.split(), SECRET))
    look = credentials.state(machine, StateConfig(backend=backend, settings=settings))
    assert look is not None
    assert look.good is good
    assert good or look.fix


@pytest.mark.parametrize("backend", ["local", "http", "consul"])
def test_a_state_that_needs_no_credentials(backend: str, tmp_path: Path) -> None:
    assert credentials.state(fake_machine(tmp_path), StateConfig(backend=backend)) is None


def test_a_token_that_terraform_login_wrote(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    place = StateConfig(backend="cloud", settings={"workspaces": {"name": "x"}})
    put(
        machine,
        ".terraform.d/credentials.tfrc.json",
        json.dumps({"credentials": {"other.io": {"token": SECRET}}}),
    )
    look = credentials.state(machine, place)
    assert answer(look) == (False, "none found for app.terraform.io")
    text = json.dumps({"credentials": {"app.terraform.io": {"token": SECRET}}})
    put(machine, ".terraform.d/credentials.tfrc.json", text)
    assert answer(credentials.state(machine, place)) == (
        True,
        "a token for app.terraform.io in credentials.tfrc.json",
    )


NAMES = sorted(
    {
        name
        for module in (credentials, state)
        for name in re.findall(r'"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"', inspect.getsource(module))
    }
    | {
        f"{prefix}{name}"
        for prefix in ("OCI_", "TF_VAR_")
        for name in ("PRIVATE_KEY", "private_key", "USER_OCID", "user_ocid")
    }
)
"""Every variable that the checks name, whatever is added to them."""
FORMS = (
    SECRET,
    f"https://{SECRET}:{SECRET}@example.com:8443/{SECRET}?sig={SECRET}",
    f"postgres://{SECRET}:{SECRET}@example.com/{SECRET}",
    f"host=example.com password={SECRET}",
    json.dumps({"private_key": SECRET}),
)
ADDRESSES = {"CONSUL_HTTP_ADDR", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY"}
"""Variables whose host is told: a host is no secret."""
PLAIN = {"AWS_REGION", "AWS_DEFAULT_REGION", "CDKTF_OUTDIR", "PGHOST"}
"""The same: parts of a host's name, and a folder."""
FILES = [
    ".aws/config",
    ".aws/credentials",
    ".azure/azureProfile.json",
    ".config/doctl/config.yaml",
    ".config/gcloud/application_default_credentials.json",
    ".kube/config",
    ".oci/config",
    ".terraform.d/credentials.tfrc.json",
    ".terraformrc",
]
CONTENTS = (
    SECRET,
    f"[default]\naws_access_key_id = {SECRET}\n[DEFAULT]\nkey_file = /{SECRET}\n",
    json.dumps({"subscriptions": [{"id": SECRET}], "credentials": {"app.terraform.io": {"token": SECRET}}}),
)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_secret_is_ever_told(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever is set to whatever, in the environment and in files, nothing of it is in the report."""
    assert {"AWS_SECRET_ACCESS_KEY", "ARM_CLIENT_SECRET", "PG_CONN_STR", "DIGITALOCEAN_TOKEN"} <= set(NAMES)
    env = {}
    for name in data.draw(st.sets(st.sampled_from(NAMES))):
        forms = FORMS[1:4] if name in ADDRESSES else ("us-west-2",) if name in PLAIN else FORMS
        env[name] = data.draw(st.sampled_from(forms))
    machine = fake_machine(
        tmp_path_factory.mktemp("machine"),
        programs=data.draw(st.sampled_from([GOOD, {}])),
        requirements=(),
        env=env,
        unreachable=data.draw(st.sampled_from([{}, {"example.com": "connection refused"}])),
    )
    for file in data.draw(st.sets(st.sampled_from(FILES))):
        put(machine, file, data.draw(st.sampled_from(CONTENTS)))
    address = f"https://{SECRET}:{SECRET}@example.com/{SECRET}"
    places = tuple(
        StatePlace(
            state=StateConfig(
                backend=backend, settings={"address": address, "endpoint": address, "region": "x"}
            )
        )
        for backend in BACKENDS
    )
    needs = Needs(
        clouds=dict.fromkeys(Provider, frozenset({"any"})), kubernetes=frozenset(Provider), states=places
    )
    report = json.dumps([finding.as_json() for finding in examine(machine, needs)])
    assert SECRET not in report
    assert "example.com" in report
