"""The command line, `aether-infra`: parses arguments, calls, prints. What it does is done elsewhere."""
