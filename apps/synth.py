"""The cdktf app, named in cdktf.json: `aether.toml` in, Terraform JSON out. `aether_infra.synth` does the work."""

import sys

from aether_infra.garbage import uncollected

with uncollected():
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
