"""Aether Infra: one typed file puts an Aether cluster on five clouds.

This module imports nothing, so that `aether_infra.config` loads in a tenth of a second; import what you
need from its subpackages (`aether_infra.config`, `aether_infra.aws`, …).
"""

__version__ = "0.1.0"
