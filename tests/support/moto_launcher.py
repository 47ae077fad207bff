"""moto's server for the conformance suite. Run with the Python that has moto: `python moto_launcher.py -p 5000`.

A reset of moto throws away networks and regions too, which take it seconds to make again. Here it forgets what a test
has made only: instances, targets, records. And it takes the termination of what has ended already, as EC2 does.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.route53.models import route53_backends
from moto.server import main

REGION = "us-west-2"
OF_THE_ZONE = ("NS", "SOA")


def forget() -> None:
    """Forget what a test has made."""
    ec2 = ec2_backends[DEFAULT_ACCOUNT_ID][REGION]
    ec2.reservations.clear()
    for group in elbv2_backends[DEFAULT_ACCOUNT_ID][REGION].target_groups.values():
        group.targets.clear()
        group.terminated_targets.clear()
    for zone in route53_backends[DEFAULT_ACCOUNT_ID]["aws"].zones.values():
        zone.rrsets = [each for each in zone.rrsets if each.type in OF_THE_ZONE]


def end_once() -> None:
    """Let a second termination change nothing."""
    terminate = Instance.terminate

    def once(self: Any) -> Any:
        return self._state if self._state.name == "terminated" else terminate(self)

    Instance.terminate = once


def end_with(parent: int) -> None:
    """End when the test run does, however it ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    moto_api_backend.reset = forget
    end_once()
    main(sys.argv[1:])
