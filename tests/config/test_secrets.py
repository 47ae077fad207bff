"""Secrets: none in the file, none in a message."""

from __future__ import annotations

import pytest

from aether_infra.config import ConfigError, Provider, loads
from aether_infra.config.credentials import looks_secret, refusal, secret_value
from aether_infra.config.secret_references import is_reference

SECRET = "correct-horse-battery-staple"  # noqa: S105 - the point of these tests


def message(text: str, **env: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loads(text, env=env)
    return str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "access_key", "access_key_id", "secret_key", "secret_access_key", "token", "api_token",
        "session_token", "password", "db_password", "client_secret", "api_key", "apikey",
        "private_key", "private_key_pem", "private_key_path", "credentials", "fingerprint",
        "sas_token", "conn_str", "http_auth", "secret_id", "encryption_key", "sse_customer_key",
        "ACCESS_KEY", "passphrase", "user_ocid", "service_account_key",
    ],
)  # fmt: skip
def test_keys_that_name_a_credential(key: str) -> None:
    assert looks_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "key", "kms_key_arn", "kms_key", "kms_key_id", "kms_encryption_key",
        "shared_credentials_files", "bucket", "admin_ssh_public_key", "certificate_arn",
        "token_file", "region", "compartment_id", "secrets", "tokens_seen",
    ],
)  # fmt: skip
def test_keys_that_do_not(key: str) -> None:
    assert not looks_secret(key)


@pytest.mark.parametrize(
    ("table", "variable"),
    [
        ("cloud.aws", "AWS_ACCESS_KEY_ID"),
        ("cloud.gcp", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("cloud.azure", "ARM_CLIENT_ID"),
        ("cloud.digitalocean", "DIGITALOCEAN_TOKEN"),
        ("cloud.oracle", "OCI_FINGERPRINT"),
        ("cloud.health", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_refusal_names_where_the_credential_belongs(table: str, variable: str) -> None:
    text = message(f'[{table}]\ntoken = "{SECRET}"')
    assert f"{table}.token: looks like a secret, which has no place in this file" in text
    assert variable in text
    assert SECRET not in text


@pytest.mark.parametrize("backend", ["s3", "gcs", "azurerm", "http", "remote", "pg", "consul", "cos", "oss"])
def test_state_settings_too(backend: str) -> None:
    assert "environment" in refusal("password", ("cloud", "state", backend))
    text = message(
        f'[cloud.state]\nbackend = "{backend}"\ninner = {{ list = [{{ token = "{SECRET}" }}] }}\n[cloud.aws]'
    )
    assert "cloud.state.inner.list[0].token: looks like a secret" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----",
        "dop_v1_0123456789abcdef0123456789abcdef",
        "ghp_0123456789abcdefghijABCDEFGHIJ",
        "postgres://user:secret@db.example.com/state",
        "AccountName=x;AccountKey=abc",
    ],
)
def test_values_that_are_secrets_whatever_the_key(value: str) -> None:
    assert secret_value(value)
    text = message(f"[cloud.state]\nbackend = 'pg'\nplace = '{value}'\n[cloud.aws]\nregion = '{value}'")
    assert "cloud.state.place: holds a secret" in text
    assert "cloud.aws.region: must be a region" in text
    assert "a secret, not shown here" in text
    assert value not in text


@pytest.mark.parametrize(
    "value", ["https://state.example.com/a", "user@example.com", "arn:aws:iam::1:role/x"]
)
def test_values_that_are_not(value: str) -> None:
    assert not secret_value(value)


@pytest.mark.parametrize("provider", list(Provider))
def test_a_secret_instead_of_a_reference_is_never_repeated(provider: Provider) -> None:
    required = {
        Provider.GCP: 'project = "my-project"',
        Provider.AZURE: 'subscription_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
        Provider.ORACLE: 'compartment_id = "ocid1.compartment.oc1..a"\ntenancy_id = "ocid1.tenancy.oc1..a"',
    }.get(provider, "")
    for value in (f'"{SECRET}"', f'["{SECRET}"]', f'{{ x = "{SECRET}" }}', f'"""{SECRET}\n"""'):
        text = message(f"[cloud.secrets]\nA = {value}\n[cloud.{provider}]\n{required}")
        assert SECRET not in text
    assert SECRET not in message(f'[cloud]\nsecrets = "{SECRET}"\n[cloud.{provider}]\n{required}')


def test_what_comes_from_the_environment_is_never_repeated() -> None:
    text = '[cloud]\ndomain = "${env:S}"\nimage = "x:${env:S}/y"\ntags = { a = "${env:S}" }\n'
    text += (
        '[cloud.aws]\nregion = "${env:S}"\nkms_key_arn = "arn:aws:kms:${env:S}:1:key/x"\nnat = "${env:S}"\n'
    )
    text += 'allowed_cidrs = ["${env:S}"]\ncertificate_arn = "arn:aws:${env:S}:us-west-2:123456789012:x"'
    found = message(text, S="Correct Horse*Battery!")
    assert "Horse" not in found
    assert "${env:S}" in found


@pytest.mark.parametrize(
    ("provider", "reference"),
    [
        (Provider.AWS, "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf"),
        (Provider.AWS, "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf:password::"),
        (Provider.AWS, "arn:aws:secretsmanager:us-west-2:123456789012:secret:a/b-AbCdEf:k:AWSCURRENT:1a2b"),
        (Provider.AWS, "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/aether/db"),
        (Provider.GCP, "projects/my-project/secrets/db/versions/latest"),
        (Provider.GCP, "projects/123456/secrets/db/versions/7"),
        (Provider.AZURE, "https://my-vault.vault.azure.net/secrets/db"),
        (Provider.AZURE, "https://my-vault.vault.azure.net/secrets/db/0123456789abcdef0123456789abcdef"),
        (Provider.ORACLE, "ocid1.vaultsecret.oc1.eu-frankfurt-1.aaaaexample"),
    ],
)
def test_references_of_each_store(provider: Provider, reference: str) -> None:
    assert is_reference(provider, reference)
    assert not is_reference(provider, reference + " ")
    assert not is_reference(Provider.DIGITALOCEAN, reference)
