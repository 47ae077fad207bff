"""Writes a simulation: a picture, a page, a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Final

from attrs import asdict, fields

from aether_infra.runtime.simulator.chart import COLUMNS, LEFT, RIGHT, WIDTH, draw
from aether_infra.runtime.simulator.figures import figures
from aether_infra.runtime.simulator.setup import Result, Sample


def as_svg(result: Result, title: str) -> str:
    """The picture."""
    return draw(result, figures(result), title)


def as_csv(result: Result, title: str) -> str:  # noqa: ARG001 - as the others
    """Every sample as a line."""
    text = io.StringIO()
    names = [item.name for item in fields(Sample)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for sample in result.samples:
        writer.writerow({name: _short(value) for name, value in asdict(sample).items()})
    return text.getvalue()


def as_json(result: Result, title: str) -> str:
    """Everything: what was assumed, the figures, every sample."""
    document = {
        "title": title,
        "setup": asdict(result.setup),
        "figures": asdict(figures(result)),
        "samples": [asdict(sample) for sample in result.samples],
    }
    return json.dumps(document, indent=1) + "\n"


def as_html(result: Result, title: str) -> str:
    """A page of its own with the picture; under the pointer stands what was so at that moment, and why."""
    every = max(1, len(result.samples) // (2 * COLUMNS))
    data = [
        [
            sample.at,
            round(sample.load, 2),
            sample.serving,
            sample.booting,
            sample.leaving,
            sample.desired,
            round(sample.utilisation, 3),
            round(sample.latency_seconds, 3),
            sample.reason,
        ]
        for sample in result.samples[::every]
    ]
    # "</" would end the script
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    seconds = result.samples[-1].at + result.setup.tick_seconds
    return PAGE.format(
        title=escape(title),
        picture=as_svg(result, title),
        data=text,
        seconds=seconds,
        left=LEFT,
        right=WIDTH - RIGHT,
        width=WIDTH,
    )


WRITERS: Final[Mapping[str, Callable[[Result, str], str]]] = {
    ".svg": as_svg,
    ".html": as_html,
    ".csv": as_csv,
    ".json": as_json,
}
"""By the ending of the file's name."""


def _short(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value


PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0; font: 14px/1.4 system-ui, sans-serif; color: #1f2933; background: #fff }}
main {{ position: relative; max-width: {width}px; margin: 0 auto }}
svg {{ display: block; width: 100%; height: auto }}
#line {{ position: absolute; top: 15%; bottom: 6%; width: 1px; background: #1f2933; opacity: .5; display: none }}
#line, #told {{ pointer-events: none }}
#told {{ position: fixed; max-width: 26em; padding: .6em .8em; border: 1px solid #c9d1d8; border-radius: 6px;
  background: #fffffff2; box-shadow: 0 2px 8px #0002; display: none }}
#told b {{ font-variant-numeric: tabular-nums }}
#told p {{ margin: .4em 0 0; color: #52606d }}
</style>
</head>
<body>
<main id="picture">
{picture}<div id="line"></div>
</main>
<div id="told" role="status"></div>
<script>
const samples = {data};
const seconds = {seconds}, left = {left}, right = {right}, width = {width};
const picture = document.getElementById("picture");
const line = document.getElementById("line"), told = document.getElementById("told");
const clock = at => Math.floor(at / 3600) + ":" + String(Math.floor(at / 60) % 60).padStart(2, "0");
picture.addEventListener("pointermove", event => {{
  const box = picture.getBoundingClientRect();
  const x = (event.clientX - box.left) * width / box.width;
  if (x < left || x > right) {{ line.style.display = told.style.display = "none"; return; }}
  const at = (x - left) / (right - left) * seconds;
  let low = 0, high = samples.length - 1;
  while (low < high) {{ const mid = (low + high + 1) >> 1; if (samples[mid][0] <= at) low = mid; else high = mid - 1; }}
  const [when, load, serving, booting, leaving, desired, busy, latency, reason] = samples[low];
  told.innerHTML = "<b>" + clock(when) + "</b> load " + load + " · " + serving + " serving, " + booting +
    " booting, " + leaving + " leaving · desired " + desired + "<br>" + Math.round(busy * 100) + " % busy · " +
    (latency < 1 ? Math.round(latency * 1000) + " ms" : latency.toFixed(1) + " s") + "<p></p>";
  told.lastChild.textContent = reason;
  line.style.display = told.style.display = "block";
  line.style.left = (event.clientX - box.left) + "px";
  told.style.left = Math.min(event.clientX + 16, innerWidth - told.offsetWidth - 8) + "px";
  told.style.top = Math.min(event.clientY + 16, innerHeight - told.offsetHeight - 8) + "px";
}});
picture.addEventListener("pointerleave", () => {{ line.style.display = told.style.display = "none"; }});
</script>
</body>
</html>
"""
