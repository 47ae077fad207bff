"""The cdktf app, named in cdktf.json: `aether.toml` in, Terraform JSON out. `aether_infra.synth` does the work."""

import atexit
import gc
import os
import sys

# short-lived: collecting garbage, at exit above all, costs a quarter of the time and frees nothing.
# AETHER_STOCK_BINDINGS=1 asks for everything as it is without us, so for Python's own way too.
if os.environ.get("AETHER_STOCK_BINDINGS", "") in {"", "0"}:
    gc.disable()
    atexit.register(gc.freeze)

# isort: split
from aether_infra.errors import AetherInfraError, ConfigError
from aether_infra.synth import synthesize

try:
    notes = synthesize()
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
except AetherInfraError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(1)
for note in notes:
    sys.stderr.write(f"note: {note}\n")
