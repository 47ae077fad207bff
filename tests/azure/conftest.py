"""Fixtures for Azure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from terraform_json import Document


@pytest.fixture
def declared_on_azure() -> Callable[[Callable[[Any], Any]], Document]:
    """Declare constructs in a stack that is not ours, and return its Terraform JSON."""
    import aether_infra.azure  # noqa: F401 - makes the bindings load lazily

    # isort: split
    from cdktf import App, TerraformStack, Testing
    from cdktf_cdktf_provider_azurerm.provider import AzurermProvider, AzurermProviderFeatures

    def run(declare: Callable[[Any], Any]) -> Document:
        stack = TerraformStack(App(), "foreign")
        AzurermProvider(stack, "azurerm", features=[AzurermProviderFeatures()])
        declare(stack)
        document: Document = json.loads(Testing.synth(stack))
        return document

    return run
