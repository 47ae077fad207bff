"""The clouds by the word that names them in `aether.toml`."""

from enum import StrEnum


class Provider(StrEnum):
    """A cloud; its value is the name of its table, as in `[cloud.aws]`."""

    AWS = "aws"
    GCP = "gcp"
    AZURE = "azure"
    DIGITALOCEAN = "digitalocean"
    ORACLE = "oracle"
    KUBERNETES = "kubernetes"
    """No cloud: a Kubernetes cluster that exists already, anywhere."""
