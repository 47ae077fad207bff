"""Where Google's own machines come from. Apart from the firewall, since the workload needs them too.

Source: https://cloud.google.com/load-balancing/docs/firewall-rules (as of 2026-11).
"""

from __future__ import annotations

PROXY_RANGES = ("35.191.0.0/16", "130.211.0.0/22")
"""Global load balancers and health checks."""
PASSTHROUGH_PROBE_RANGES = ("35.191.0.0/16", "209.85.152.0/22", "209.85.204.0/22")
"""Health checks of public passthrough load balancers."""
