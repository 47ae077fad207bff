"""The command line: `python -m aether_infra.bindgen --help`."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from aether_infra.bindgen.document import Provider, SchemaError, choose, read
from aether_infra.bindgen.package import differences, generate, write

DESCRIPTION = """\
Generate typed CDKTF classes for a Terraform provider from its schema document.

In a folder whose configuration names the provider:

  terraform init && terraform providers schema -json > aws-5.100.0.json
  python -m aether_infra.bindgen aws-5.100.0.json --provider hashicorp/aws --out aws --only aws_vpc 'aws_lb*'
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: instead of those of the process.

    Returns:
        0 done; 1 with `--check` when a file differs; 2 when the input cannot be used.
    """
    options = _options(arguments)
    try:
        text, *more = (path.read_text(encoding="utf-8") for path in options.schemas)
        provider = read(text, options.provider, *more)
        version = _version(options.schemas[0]) if options.version is None else options.version
        files = generate(provider, choose(provider, options.only), version)
        changed = differences(options.out, files) if options.check else write(options.out, files)
    except (OSError, SchemaError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _report(provider, len(files), changed, options)
    return 1 if options.check and changed else 0


def _options(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(
        "python -m aether_infra.bindgen", description=DESCRIPTION, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "schemas",
        nargs="+",
        type=Path,
        metavar="SCHEMA.json",
        help="what `terraform providers schema -json` printed; further documents add to the first",
    )
    parser.add_argument(
        "--provider", metavar="SOURCE", help="such as oracle/oci, where the document has several"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the Python package")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="TYPE",
        help="resources, data.… for data sources, * for any text",
    )
    parser.add_argument(
        "--version", help="version or constraint of the provider (default: from the file's name)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; say what would change")
    return parser.parse_args(arguments)


def _version(path: Path) -> str:
    """The version at the end of a file's name, such as that of oci-8.28.0.json; empty where there is none."""
    found = re.search(r"[-_v](\d+(?:\.\d+)+(?:-[0-9a-z.]+)?)\.json$", path.name)
    return found[1] if found else ""


def _report(provider: Provider, count: int, changed: Sequence[str], options: Namespace) -> None:
    verb = "would change" if options.check else "changed"
    sys.stdout.write(f"{options.out}: {count} files, {len(changed)} {verb}\n")
    sys.stdout.writelines(f"  {name}\n" for name in changed if options.check)
    for what, number in provider.ignored.items():
        sys.stdout.write(f"left out: {number} of {what.replace('_', ' ')}, which CDKTF does not know\n")


if __name__ == "__main__":
    sys.exit(main())
