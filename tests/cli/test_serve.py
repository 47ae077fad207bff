"""`aether-infra serve`, as it is called: what it refuses, how it ends, and that keys and TLS are what they say."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import console_script
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from serving import Serving, serving

from aether_infra.cli.main import run

KEY = "a-key-of-this-test-only"
KUBERNETES = {
    "provider": "kubernetes", "compute": "existing", "region": "", "cluster_name": "shop", "core_nodes": 3,
    "min_nodes": 3, "max_nodes": 5, "ports": {}, "managed": True, "kubernetes": {"namespace": "aether"},
}  # fmt: skip
EC2 = KUBERNETES | {
    "provider": "aws", "compute": "ec2", "region": "eu-west-1", "launch_template_id": "lt-1",
    "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"], "target_group_arns": {},
}  # fmt: skip
NO_AWS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "none",
    "AWS_CONFIG_FILE": "none",
}
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
BAD_FILES = {
    "foreign.json": ('{"vpc_id": {"value": "vpc-1"}}', "has no output `runtime`, only vpc_id"),
    "empty.json": ("{}", "has no output at all"),
    "cut.json": ('{"runtime": {"val', "is not JSON"),
    "typo.json": (json.dumps(EC2 | {"provider": "awss"}), 'got "awss" (did you mean "aws"?)'),
    "few.json": (json.dumps(EC2 | {"launch_template_id": None}), "runtime.launch_template_id: is missing"),
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, and nothing of ours or AWS's in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "AETHER_OUTPUTS",
        "AETHER_RUNTIME",
        "AETHER_API_KEYS",
        "AETHER_JOURNAL",
        "AETHER_HOST",
        "AETHER_PORT",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "KUBECONFIG",
        "KUBERNETES_SERVICE_HOST",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_not_its_outputs(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in AWS.items():
        monkeypatch.setenv(variable, value)
    text, told = BAD_FILES[name]
    Path(name).write_text(text, encoding="utf-8")
    assert run(["serve", "--outputs", name]) == 2
    assert told in capsys.readouterr().err
    assert not Path("aether-infra.db").exists(), "nothing is begun"


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "told"),
    [
        ([], {}, 2, "which cluster? Give --outputs FILE"),
        (["--outputs", "none.json"], {}, 2, "none.json: 1 problem\n  does not exist (write it: terraform output -json"),
        (["--outputs", "."], {}, 2, "cannot be read: is a directory"),
        ([], {"AETHER_RUNTIME": "{"}, 2, "AETHER_RUNTIME: 1 problem\n  is not JSON"),
        ([], {"AETHER_OUTPUTS": "none.json"}, 2, "none.json: 1 problem"),
        (["--demo", "--outputs", "x.json", "--collect"], {}, 2, "leave out --outputs, --collect"),
        (["--demo", "--host", "0.0.0.0"], {}, 2, "can be reached from elsewhere, and there is no key"),  # noqa: S104
        (["--demo", "--host", "localhorst"], {}, 2, 'localhost, got "localhorst"'),
        (["--demo", "--port", "70000"], {}, 2, "--port: must be 1 to 65535"),
        (["--demo"], {"AETHER_PORT": "http"}, 2, "'http' is not a valid integer"),
        (["--demo"], {"AETHER_API_KEYS": "short"}, 2, "AETHER_API_KEYS[1]: has a key of 5 characters"),
        (["--demo"], {"AETHER_API_KEYS": f"{KEY}:bob::OWNER"}, 2, 'as its role, got "OWNER"'),
        (["--demo", "--tls-cert", "a.pem"], {}, 2, "--tls-key: is missing"),
        (["--demo", "--tls-cert", "a.pem", "--tls-key", "b.pem"], {}, 2, "--tls-key: b.pem does not exist"),
        (["--demo", "--tls-cert", "k8s.json", "--tls-key", "k8s.json"], {}, 2, "cannot be used with its key"),
        (["--demo", "--nodes-https", "--nodes-ca", "none.pem"], {}, 2, "cannot be used: no such file"),
        (["--outputs", "ec2.json"], NO_AWS, 1, "no usable AWS credentials: give the service a role"),
        (["--outputs", "k8s.json"], {"HOME": "/none"}, 1, "no credentials for the Kubernetes cluster"),
        (["--outputs", "k8s.json"], {"KUBECONFIG": "none.yaml"}, 1, "none.yaml"),
        (["--outputs", "ec2.json", "--journal", "journal.db"], AWS, 2, "is no database URL (such as sqlite:///journal.db"),
        (["--outputs", "ec2.json", "--journal", "mysql://a/b"], AWS, 2, 'must be of sqlite or postgresql, got "mysql"'),
        (["--outputs", "ec2.json", "--journal", "sqlite:///no/j.db"], AWS, 1, "cannot be opened: no such"),
        (["--outputs", "ec2.json", "--journal", "sqlite:///k8s.json"], AWS, 1, "k8s.json"),
    ],
)  # fmt: skip
def test_what_it_refuses_before_it_begins(  # noqa: PLR0917 - pytest's parameters
    arguments: list[str],
    environ: dict[str, str],
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("ec2.json").write_text(json.dumps(EC2), encoding="utf-8")
    Path("k8s.json").write_text(json.dumps(KUBERNETES), encoding="utf-8")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert run(["serve", *arguments]) == code
    said = capsys.readouterr()
    assert told in said.err
    assert "Traceback" not in said.err
    assert KEY not in said.err
    assert said.out == ""


def test_a_file_that_may_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    secret = Path("secret.json")
    secret.write_text("{}", encoding="utf-8")
    secret.chmod(0)
    try:
        secret.read_text(encoding="utf-8")
    except PermissionError:
        assert run(["serve", "--outputs", "secret.json"]) == 2
        assert "cannot be read: permission denied" in capsys.readouterr().err
    else:
        pytest.skip("this user may read everything")
    finally:
        secret.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_a_port_that_somebody_else_has(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--demo", "--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1, port {port}: address already in use" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: int, code: int) -> None:
    with serving(tmp_path, "--demo") as service:
        assert service.url.startswith("http://127.0.0.1:")
        with httpx.stream("GET", f"{service.url}/api/cloud/events", timeout=30) as events:
            assert events.status_code == 200
            assert service.end(number) == code, "an open stream does not keep it"
        assert "Traceback" not in service.said
        assert "operations that are not over go on at the next start" in service.said


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Path]]:
    """The service with a certificate and a key, and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    certify(folder)
    arguments = ("--demo", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    with serving(folder, *arguments, AETHER_API_KEYS=f"{KEY}:tester::VIEWER") as service:
        yield service, folder / "cert.pem"


def test_keys_are_needed_over_tls(tls: tuple[Serving, Path]) -> None:
    service, certificate = tls
    assert service.url.startswith("https://")
    with httpx.Client(verify=ssl.create_default_context(cafile=str(certificate))) as client:
        assert client.get(f"{service.url}/health/live").json()["status"] == "UP"
        assert client.get(f"{service.url}/api/cloud/nodes").status_code == 401
        wrong = client.get(f"{service.url}/api/cloud/nodes", headers={"X-API-Key": "not" + KEY})
        assert wrong.status_code == 403
        right = client.get(f"{service.url}/api/cloud/nodes", headers={"X-API-Key": KEY})
        assert len(right.json()["nodes"]) >= 3
        assert client.post(f"{service.url}/api/cloud/nodes", headers={"X-API-Key": KEY}).status_code == 403
    assert KEY not in service.said


def test_whoever_does_not_trust_the_certificate_is_not_served(tls: tuple[Serving, Path]) -> None:
    service, _ = tls
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{service.url}/health/live")
    with pytest.raises(httpx.HTTPError):
        httpx.get(service.url.replace("https", "http") + "/health/live")


def test_the_command_asks_over_tls_with_a_key(tls: tuple[Serving, Path], tmp_path: Path) -> None:
    service, certificate = tls
    ours = ("--url", service.url, "--ca", str(certificate))
    good = console_script.run("node", "list", "--json", *ours, folder=tmp_path, AETHER_API_KEY=KEY)
    assert good.returncode == 0, good.stderr
    assert {each["role"] for each in json.loads(good.stdout)["nodes"]} >= {"core"}
    for arguments, told in (
        (("list", *ours), "a key is needed: send it in the header X-API-Key"),
        (("list", "--url", service.url), "CERTIFICATE_VERIFY_FAILED"),
        (("list", "--url", service.url, "--ca", "none.pem"), "--ca: none.pem cannot be used"),
    ):
        bad = console_script.run("node", *arguments, folder=tmp_path)
        assert bad.returncode == (2 if "--ca:" in told else 1)
        assert told in bad.stderr
        assert "Traceback" not in bad.stderr
    less = console_script.run("node", "create", *ours, folder=tmp_path, AETHER_API_KEY=KEY)
    assert less.returncode == 1
    assert "needs OPERATOR, and the key tester is VIEWER" in less.stderr


def certify(folder: Path) -> None:
    """Write `cert.pem` and `key.pem` of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "aether-infra")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
