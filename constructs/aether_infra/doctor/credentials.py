"""Whether credentials are there, without a word of what they are, and without trying them.

Each function looks where the cloud's Terraform provider or the state's backend does, in that order, as far as this
can be done on this machine: no metadata service is asked. Sources as in `aether_infra.config.credentials`, and the
providers' code: https://github.com/oracle/terraform-provider-oci/blob/v8.28.0/internal/provider/provider.go,
https://github.com/digitalocean/terraform-provider-digitalocean/blob/v2.71.0/digitalocean/provider.go (as of 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Final

from aether_infra.catalog.terraform import HOSTED
from aether_infra.config import Provider, StateConfig
from aether_infra.config.credentials import ANYWHERE, WHERE, WHERE_STATE
from aether_infra.doctor.finding import Look, lacking, there
from aether_infra.doctor.machine import Machine

AWS_PROFILE_KEYS: Final = frozenset(
    {
        "aws_access_key_id",
        "credential_process",
        "credential_source",
        "login_session",
        "role_arn",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    }
)
"""Keys by which a profile brings credentials. Source:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html (as of 2026-11)."""
GOOGLE_KEYS: Final = ("GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON")
"""Variables that hold a key or its path, in the order of Google's provider."""
ARM_PROOFS: Final = (
    "ARM_CLIENT_SECRET",
    "ARM_CLIENT_SECRET_FILE_PATH",
    "ARM_CLIENT_CERTIFICATE",
    "ARM_CLIENT_CERTIFICATE_PATH",
)
"""Variables by which an application proves itself to Azure."""
ARM_IDENTITIES: Final = ("ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_AKS_WORKLOAD_IDENTITY")
"""Switches that have Azure's provider use an identity of the pipeline or the machine."""
OCI_API_KEY: Final = ("tenancy_ocid", "user_ocid", "fingerprint")
"""What an API key of Oracle's needs besides the key itself, by the provider's arguments."""


def aws(machine: Machine, profile: str = "") -> Look:  # noqa: PLR0911 - one answer a place
    """AWS.

    Args:
        machine: where to look.
        profile: the profile that a state backend names.
    """
    if not profile and machine.has("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        return there("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set")
    fix = WHERE[Provider.AWS]
    named = profile or machine.env.get("AWS_PROFILE") or machine.env.get("AWS_DEFAULT_PROFILE") or ""
    if named:
        where = "the profile of the state" if profile else "AWS_PROFILE"
        keys = _aws_profile(machine, named)
        if keys is None:
            return lacking(
                f"{where} names a profile that is in neither ~/.aws/config nor ~/.aws/credentials", fix
            )
        return (
            there(f"{where} names a profile")
            if keys
            else lacking(f"{where} names a profile without credentials", fix)
        )
    if machine.has("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"):
        return _file(machine, "AWS_WEB_IDENTITY_TOKEN_FILE", fix)
    for variable in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        if machine.has(variable):
            return there(f"{variable} is set: the identity of this container")
    if _aws_profile(machine, "default"):
        return there("the default profile in ~/.aws")
    if machine.has("AWS_ACCESS_KEY_ID") or machine.has("AWS_SECRET_ACCESS_KEY"):
        return lacking("one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set, the other is not", fix)
    return lacking("none found", fix)


def _aws_profile(machine: Machine, name: str) -> frozenset[str] | None:
    """Which of the keys that bring credentials a profile has; None if there is no such profile."""
    config = _ini(machine.file("AWS_CONFIG_FILE", ".aws", "config"))
    credentials = _ini(machine.file("AWS_SHARED_CREDENTIALS_FILE", ".aws", "credentials"))
    found = [
        parsed[section]
        for parsed, section in ((config, f"profile {name}"), (config, name), (credentials, name))
        if section in parsed and (parsed is credentials or section != name or name == "default")
    ]
    if not found:
        return None
    return frozenset(key for section in found for key in section) & AWS_PROFILE_KEYS


def gcp(machine: Machine) -> Look:  # noqa: PLR0911 - one answer a place
    """Google Cloud: application default credentials, or what the provider takes besides."""
    fix = WHERE[Provider.GCP]
    for variable in GOOGLE_KEYS:
        if machine.has(variable):
            if machine.env[variable].lstrip().startswith("{"):
                return there(f"{variable} is set")
            return _file(machine, variable, fix)
    if machine.has("GOOGLE_OAUTH_ACCESS_TOKEN"):
        return there("GOOGLE_OAUTH_ACCESS_TOKEN is set")
    if machine.has("GOOGLE_APPLICATION_CREDENTIALS"):
        return _file(machine, "GOOGLE_APPLICATION_CREDENTIALS", fix)
    folder = machine.file("CLOUDSDK_CONFIG", ".config", "gcloud")
    if (folder / "application_default_credentials.json").is_file():
        return there("application default credentials of gcloud")
    if (folder / "credentials.db").is_file():
        return lacking(
            "gcloud is logged in, but has no application default credentials, which Terraform wants", fix
        )
    return lacking("none found", fix)


def azure(machine: Machine) -> Look:
    """Azure: an application, an identity of the pipeline or machine, or the Azure command line's login."""
    fix = WHERE[Provider.AZURE]
    if machine.has("ARM_CLIENT_ID", "ARM_TENANT_ID"):
        for proof in ARM_PROOFS:
            if machine.has(proof):
                path = proof.endswith("_PATH")
                return _file(machine, proof, fix) if path else there(f"ARM_CLIENT_ID and {proof} are set")
    for switch in ARM_IDENTITIES:
        if machine.env.get(switch, "").lower() in {"1", "true"}:
            return there(f"{switch} is set")
    if not _azure_login(machine):
        partly = machine.has("ARM_CLIENT_ID") or any(machine.has(proof) for proof in ARM_PROOFS)
        return lacking(
            "ARM_CLIENT_ID, ARM_TENANT_ID and a proof are not all set" if partly else "none found", fix
        )
    if machine.which("az") is None:
        return lacking("az has a login, but is not on PATH", "put az on PATH: Terraform asks it for tokens")
    return there("the login of az")


def _azure_login(machine: Machine) -> bool:
    """Whether the Azure command line has a subscription; its file begins with a byte order mark."""
    profile = machine.file("AZURE_CONFIG_DIR", ".azure") / "azureProfile.json"
    try:
        document = json.loads(profile.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and bool(document.get("subscriptions"))


def digitalocean(machine: Machine) -> Look:
    """DigitalOcean."""
    for variable in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"):
        if machine.has(variable):
            return there(f"{variable} is set")
    return lacking("none found", WHERE[Provider.DIGITALOCEAN])


def doctl(machine: Machine) -> Look:
    """What doctl itself logs in by: it does not know Terraform's DIGITALOCEAN_TOKEN."""
    if machine.has("DIGITALOCEAN_ACCESS_TOKEN"):
        return there("DIGITALOCEAN_ACCESS_TOKEN is set")
    for folder in (".config/doctl", "Library/Application Support/doctl"):
        if (machine.home / folder / "config.yaml").is_file():
            return there("the login of doctl")
    return lacking("none found", "set DIGITALOCEAN_ACCESS_TOKEN in the environment, or run doctl auth init")


def kubelogin(machine: Machine) -> Look:
    """What kubelogin logs in by: the Azure command line, or another way that AAD_LOGIN_METHOD names."""
    if machine.env.get("AAD_LOGIN_METHOD", "azurecli") != "azurecli":
        return there("AAD_LOGIN_METHOD is set")
    if _azure_login(machine) and machine.which("az"):
        return there("the login of az")
    return lacking("az is not there, or not logged in", "run az login, or set AAD_LOGIN_METHOD in a pipeline")


def oracle(machine: Machine) -> Look:  # noqa: PLR0911 - one answer a place
    """Oracle Cloud: an identity of the machine, an API key in the environment, or OCI's configuration file."""
    fix = WHERE[Provider.ORACLE]
    if _oci(machine, "auth", "ApiKey").lower() not in {"apikey", "securitytoken"}:
        return there("OCI_AUTH names an identity of this machine")
    missing = [name for name in OCI_API_KEY if not _oci(machine, name)]
    key = _oci(machine, "private_key_path")
    if not missing and _oci(machine, "private_key"):
        return there("an API key is in the environment")
    if not missing and key:
        if machine.expand(key).is_file():
            return there("an API key is named in the environment")
        return lacking("OCI_PRIVATE_KEY_PATH names a file that is not there", fix)
    profile = _oci(machine, "config_file_profile", "DEFAULT")
    file = (
        machine.home / ".oci" / "config"
        if profile != "DEFAULT"
        else machine.file("OCI_CONFIG_FILE", ".oci", "config")
    )
    settings = _ini(file)
    if profile in settings:
        return _oci_profile(
            machine, settings["DEFAULT"] | settings[profile] if "DEFAULT" in settings else settings[profile]
        )
    if profile != "DEFAULT":
        return lacking("OCI_CONFIG_FILE_PROFILE names a profile that ~/.oci/config does not have", fix)
    return lacking("none found", fix)


def _oci_profile(machine: Machine, settings: Mapping[str, str]) -> Look:
    key = settings.get("key_file", "")
    if not key:
        return lacking("~/.oci/config names no key_file", "run oci setup config")
    if not machine.expand(key).is_file():
        return lacking("~/.oci/config names a key_file that is not there", "run oci setup config")
    return there("~/.oci/config")


def _oci(machine: Machine, argument: str, default: str = "") -> str:
    """An argument of Oracle's provider, from the environment."""
    return machine.env.get(f"TF_VAR_{argument}") or machine.env.get(f"OCI_{argument.upper()}") or default


CLOUDS: Final[Mapping[Provider, Callable[[Machine], Look]]] = {
    Provider.AWS: aws,
    Provider.GCP: gcp,
    Provider.AZURE: azure,
    Provider.DIGITALOCEAN: digitalocean,
    Provider.ORACLE: oracle,
}
"""Where to look, by cloud."""
HELPERS: Final[Mapping[Provider, tuple[str, Callable[[Machine], Look]]]] = {
    Provider.AZURE: ("kubelogin", kubelogin),
    Provider.DIGITALOCEAN: ("doctl", doctl),
}
"""Programs that log in to Kubernetes by something else than Terraform to the cloud."""


def kubeconfig(machine: Machine, path: str) -> Look:
    """A kubeconfig file.

    Args:
        machine: where to look.
        path: the file, as the configuration names it.
    """
    if machine.expand(path).is_file():
        return there(path)
    return lacking(f"{path} is not there", "name the file in cloud.kubernetes.kubeconfig")


def state(machine: Machine, where: StateConfig) -> Look | None:  # noqa: PLR0911 - one answer a backend
    """What a state's backend logs in by.

    Args:
        machine: where to look.
        where: `[cloud.state]`.

    Returns:
        What was found; None for a backend that needs no credentials.
    """
    backend, settings = where.backend, where.settings
    fix = WHERE_STATE.get(backend, ANYWHERE)
    match backend:
        case "s3":
            return aws(machine, str(settings.get("profile", "")))
        case "gcs":
            variable = "GOOGLE_BACKEND_CREDENTIALS"
            return there(f"{variable} is set") if machine.has(variable) else gcp(machine)
        case "azurerm":
            return _any(machine, ("ARM_ACCESS_KEY", "ARM_SAS_TOKEN"), "") or azure(machine)
        case "remote" | "cloud":
            return _hosted(machine, str(settings.get("hostname") or HOSTED), fix)
        case "pg":
            return _any(machine, ("PG_CONN_STR", "PGSERVICE", "PGHOST", "PGUSER"), fix)
        case "cos":
            return _pair(machine, "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", fix)
        case "oss":
            return _pair(machine, "ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", fix)
        case _:
            return None


def _any(machine: Machine, variables: tuple[str, ...], fix: str) -> Look | None:
    """The first variable that is set; None where none is, and there is nothing to say about that."""
    for variable in variables:
        if machine.has(variable):
            return there(f"{variable} is set")
    return lacking("none found", fix) if fix else None


def _pair(machine: Machine, name: str, secret: str, fix: str) -> Look:
    return there(f"{name} and {secret} are set") if machine.has(name, secret) else lacking("none found", fix)


def _hosted(machine: Machine, host: str, fix: str) -> Look:
    """A token of HCP Terraform or its like.

    Source: https://developer.hashicorp.com/terraform/cli/config/config-file#credentials (as of 2026-11).
    """
    variable = "TF_TOKEN_" + host.replace("-", "__").replace(".", "_")
    for name in (variable, "TF_TOKEN_" + host.replace(".", "_")):
        if machine.has(name):
            return there(f"{name} is set")
    for file in _terraform_files(machine):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if f'"{host}"' in text and "credentials" in text:
            return there(f"a token for {host} in {file.name}")
    return lacking(
        f"none found for {host}", fix.replace("app_terraform_io", variable.removeprefix("TF_TOKEN_"))
    )


def _terraform_files(machine: Machine) -> Iterator[Path]:
    yield machine.home / ".terraform.d" / "credentials.tfrc.json"
    yield machine.file("TF_CLI_CONFIG_FILE", ".terraformrc")


def _file(machine: Machine, variable: str, fix: str) -> Look:
    """A file that a variable names."""
    if machine.expand(machine.env[variable]).is_file():
        return there(f"{variable} names a file")
    return lacking(f"{variable} names a file that is not there", fix)


def _ini(path: Path) -> dict[str, dict[str, str]]:
    """Sections of a configuration file; none where it cannot be read."""
    parser = ConfigParser(default_section="", interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, Error):
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}
