"""Where the API listens and with whose keys: from flags and the environment, checked as a whole."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from aether_infra.api.auth import Keyring, parse_keys
from aether_infra.errors import ConfigError, Problem

LOOPBACK = "127.0.0.1"
"""Where it listens unless told otherwise."""
PORT = 8081
"""Port unless told otherwise; none of the node's."""
_PORTS = range(1, 65536)


@frozen(kw_only=True)
class ApiOptions:
    """How the API is served."""

    host: str = LOOPBACK
    """Address to listen on; anything but loopback needs keys."""
    port: int = PORT
    """Port to listen on; 0 for any that is free."""
    keys: Keyring = field(factory=Keyring)
    """Who may call; none: everybody, on loopback."""
    certificate: Path | None = None
    """Certificate (chain) in PEM; with it, TLS."""
    private_key: Path | None = None
    """Its private key in PEM."""
    calls_per_second: float = 20
    """Calls of one caller in the long run; default 20."""
    calls_at_once: float = 60
    """Calls of one caller at once; default 60."""

    @property
    def url(self) -> str:
        """What to call."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}"


def read_options(
    *,
    host: str = LOOPBACK,
    port: int = PORT,
    certificate: Path | None = None,
    private_key: Path | None = None,
    env: Mapping[str, str],
) -> ApiOptions:
    """Check where to listen and read the keys.

    Args:
        host: address.
        port: port.
        certificate: certificate in PEM.
        private_key: its key in PEM.
        env: where `AETHER_API_KEYS` is looked up.

    Raises:
        ConfigError: holds every problem; none repeats a key.
    """
    keys, problems = parse_keys(env.get("AETHER_API_KEYS", ""))
    problems += _address(host, port)
    problems += _tls(certificate, private_key)
    if not keys and not is_loopback(host):
        problems.append(
            Problem(
                path="--host",
                message=f"{host} can be reached from elsewhere, and there is no key",
                hint="set AETHER_API_KEYS=KEY:NAME::ADMIN, or stay on 127.0.0.1",
            )
        )
    if problems:
        raise ConfigError(problems, "serve")
    return ApiOptions(host=host, port=port, keys=keys, certificate=certificate, private_key=private_key)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(host: str, port: int) -> Iterator[Problem]:
    if port and port not in _PORTS:
        yield Problem(path="--port", message=f"must be 1 to 65535, or 0 for any that is free, got {port}")
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            message = f'must be an IP address of this machine, or localhost, got "{host}"'
            yield Problem(path="--host", message=message, hint="0.0.0.0 listens on all of them")


def _tls(certificate: Path | None, private_key: Path | None) -> Iterator[Problem]:
    if (certificate is None) is not (private_key is None):
        missing = "--tls-key" if private_key is None else "--tls-cert"
        yield Problem(path=missing, message="is missing: TLS needs the certificate and its key")
        return
    if certificate is None or private_key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, private_key)
    except FileNotFoundError:
        for flag, path in (("--tls-cert", certificate), ("--tls-key", private_key)):
            if not path.exists():
                yield Problem(path=flag, message=f"{path} does not exist")
    except (OSError, ssl.SSLError) as error:
        yield Problem(path="--tls-cert", message=f"cannot be used with its key: {error.args[-1]}")
