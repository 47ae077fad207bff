"""What a machine of OKE does when it starts: get credentials for the container registry, then join its cluster."""

from __future__ import annotations

import base64
from typing import Final

FOLDER: Final = "/usr/local/lib/aether"
REPOSITORIES: Final = "aether-image-repositories"
"""Metadata key of a machine: repositories to pull from with the machine's own identity, separated by blanks."""

_METADATA: Final = "http://169.254.169.254/opc/v2/instance/metadata"
_CREDENTIALS: Final = """\
#!/bin/bash
# The kubelet asks for credentials of an image's registry; the answer is a token for this machine's own identity.
set -euo pipefail
export HOME=/root PATH=/usr/local/bin:/usr/bin:/bin
image=$(sed -n 's/.*"image"[ :]*"\\([^"]*\\)".*/\\1/p')
host=$(echo "$image" | cut -d/ -f1)
token=$(oci raw-request --auth instance_principal --http-method GET \\
    --target-uri "https://$host/20180419/docker/token" --query data.token --raw-output)
printf '{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderResponse",'
printf '"cacheKeyType":"Registry","cacheDuration":"50m0s",'
printf '"auth":{"%s":{"username":"BEARER_TOKEN","password":"%s"}}}\\n' "$host" "$token"
"""
_START: Final = """\
#!/bin/bash
set -u
metadata() {
    curl --fail --silent --show-error --retry 5 --header 'Authorization: Bearer Oracle' "@METADATA@/$1"
}
metadata oke_init_script | base64 --decode >/var/run/oke-init.sh
repositories=$(metadata @REPOSITORIES@)
arguments='@ARGUMENTS@'

install_cli() { # from Oracle's own repository, which the service gateway leads to
    command -v oci >/dev/null && return
    dnf -y -q --enablerepo='ol*_oci_included' install python39-oci-cli ||
        dnf -y -q --enablerepo='ol*_oci_included' install python36-oci-cli
}

write_credential_provider() {
    install -d -m 0755 @FOLDER@/bin
    base64 --decode >@FOLDER@/bin/ocir-credentials <<'END'
@CREDENTIALS@
END
    chmod 0755 @FOLDER@/bin/ocir-credentials
    {
        echo 'apiVersion: kubelet.config.k8s.io/v1'
        echo 'kind: CredentialProviderConfig'
        echo 'providers:'
        echo '  - name: ocir-credentials'
        echo '    apiVersion: credentialprovider.kubelet.k8s.io/v1'
        echo '    defaultCacheDuration: 50m0s'
        echo '    matchImages:'
        for repository in $repositories; do
            echo "      - $repository"
        done
    } >@FOLDER@/credential-provider.yaml
}

# a machine that cannot get credentials joins all the same: public images still run
if [ -n "$repositories" ] && install_cli && write_credential_provider; then
    arguments="$arguments --image-credential-provider-bin-dir=@FOLDER@/bin"
    arguments="$arguments --image-credential-provider-config=@FOLDER@/credential-provider.yaml"
fi
bash /var/run/oke-init.sh --kubelet-extra-args "$arguments"
"""


def kubelet_arguments(taint: str | None) -> str:
    """Arguments that a machine's kubelet gets besides OKE's own.

    Args:
        taint: a taint that the machine registers with, such as `aether-pool=spot:NoSchedule`.
    """
    return f"--register-with-taints={taint}" if taint else ""


def user_data(taint: str | None = None) -> str:
    """The start-up script of a machine, as its metadata wants it.

    The credential provider is what Oracle's own
    (https://github.com/oracle-devrel/oke-credential-provider-for-ocir, as of 2026-11) does, with the OCI command
    line in place of a program from GitHub. It answers for our repositories alone: OKE's own images, of the same
    registry, are public, and a token without a right to them would be refused.

    Args:
        taint: a taint that the machine registers with.

    Returns:
        The script in base64.
    """
    script = _START
    for name, value in {
        "METADATA": _METADATA,
        "REPOSITORIES": REPOSITORIES,
        "ARGUMENTS": kubelet_arguments(taint),
        "CREDENTIALS": _encode(_CREDENTIALS),
        "FOLDER": FOLDER,
    }.items():
        script = script.replace(f"@{name}@", value)
    return _encode(script)


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
