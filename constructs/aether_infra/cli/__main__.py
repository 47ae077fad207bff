"""`python -m aether_infra.cli`: the command line, where its script is not on PATH."""

from aether_infra.cli.main import main

main()
