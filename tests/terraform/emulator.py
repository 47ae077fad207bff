"""An AWS for Terraform: moto's server, and the few calls of the provider that moto does not answer.

Run with the Python that has moto: `python emulator.py --port 5000`. Nothing here makes a resource look better than
it is: what a call stores is returned as it was given, and what moto forgets stays forgotten (see moto.toml).
"""

from __future__ import annotations

import json
import sys
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.server import main

_scaling_tags: dict[str, dict[str, str]] = {}
_register_scalable_target = ApplicationAutoScalingResponse.register_scalable_target


def register_scalable_target(self: Any) -> str:
    """Register, and keep the tags that moto drops."""
    answer: str = _register_scalable_target(self)
    _scaling_tags.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(
        self._get_param("Tags") or {}
    )
    return answer


def list_tags_for_resource(self: Any) -> str:
    """Return the tags of a scalable target, a call that moto has not."""
    return json.dumps({"Tags": _scaling_tags.get(self._get_param("ResourceARN"), {})})


ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target
ApplicationAutoScalingResponse.list_tags_for_resource = list_tags_for_resource

if __name__ == "__main__":
    main(sys.argv[1:])
