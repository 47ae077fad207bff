"""The documentation site: Markdown, with the reference read out of the code and the pictures out of the examples.

    make docs

Warnings are errors. Nothing is fetched: what is generated comes from this project alone.
"""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError, PycodeError
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGES = HERE / "reference/python"
PICTURES = HERE / "_generated/pictures"
sys.path.insert(0, str(ROOT / "constructs"))

import aether_infra  # noqa: E402 - from this tree, wherever another one may be installed
from aether_infra import errors  # noqa: E402 - as above

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Aether Infra"
author = "the authors of Aether Infra"
copyright = "the authors of Aether Infra, Apache-2.0"  # noqa: A001 - Sphinx's name for it
version = release = aether_infra.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
nitpicky = True
suppress_warnings = ["config.cache"]  # classes below are no part of what is cached

smartquotes = False  # "--option" is no dash

# Markdown
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

# reference of the code
autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_display_short_literal_types = True
add_module_names = False
toc_object_entries = False  # thousands: every page would carry them all
napoleon_numpy_docstring = False
napoleon_use_rtype = False

# the look
html_theme = "furo"
html_title = f"Aether Infra {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
pygments_style = "friendly"
pygments_dark_style = "native"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_copy_empty_lines = False

PACKAGES = {
    "config": "aether.toml as typed, checked values",
    "core": "pure rules: names, tags, addresses, quorum",
    "errors": "every error of the package",
    "synth": "from configurations to Terraform JSON",
    "cdk": "plumbing over cdktf, for stacks of your own too",
    "aws": "constructs for AWS",
    "gcp": "constructs for Google Cloud",
    "azure": "constructs for Azure",
    "digitalocean": "constructs for DigitalOcean",
    "oracle": "constructs for Oracle Cloud",
    "kubernetes": "the workload, for any Kubernetes",
    "bindgen": "typed bindings of any provider",
    "runtime": "the runtime manager: nodes, targets, DNS",
    "api": "the runtime manager's HTTP API",
}
"""What the reference of the code has a page of, in this order, and what each is."""
PICTURED = ("aws", "gcp", "azure", "digitalocean", "oracle")
"""Clouds whose plain example is drawn."""
LEFT_OUT = {
    "aether_infra.oracle.bindings",  # generated: Oracle's own documentation says what the arguments mean
    "aether_infra.aws.instance_node",  # programs that run elsewhere
    "aether_infra.aws.rollout_gate",
    "aether_infra.azure.machine_rollout",
    "aether_infra.digitalocean.peer_exchange",
}
"""Packages that are no interface."""
ONLY = {
    "cdk": ["bindings", "outputs", "remote_state", "stack", "text"],
    "config": [
        *("aws", "azure", "cloud", "digitalocean", "gcp", "kubernetes", "load", "manager", "model", "node"),
        *("oracle", "provider", "section", "sizing", "state", "zones"),
    ],
    "runtime": ["errors", "manager", "model", "registry", "settings"],
}
"""Modules that are the interface of a package whose others are not."""


def setup(app: Sphinx) -> None:
    """Connect what this site adds to Sphinx."""
    app.connect("builder-inited", lambda _: generate())
    app.connect("autodoc-process-signature", without_fields)
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)  # before napoleon's 500
    app.connect("doctree-read", only_our_references)
    app.connect("sphinx-click-process-description", examples_as_they_are)
    app.connect("sphinx-click-process-epilog", examples_as_they_are)


def generate() -> None:
    """Write the pages that are made from the code."""
    pages = {f"{name}.md": page(name, what) for name, what in PACKAGES.items() if exists(name)}
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        file = PAGES / name
        # an unchanged page keeps its time, and Sphinx need not read it again
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for old in set(PAGES.glob("*.md")) - {PAGES / name for name in pages}:
        old.unlink()
    draw(PICTURED)


def draw(clouds: Sequence[str]) -> None:
    """Draw each cloud's plain example, unless its picture is newer than all that it is drawn from."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    code = max(path.stat().st_mtime for path in (ROOT / "constructs").rglob("*.*") if path.suffix != ".pyc")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AETHER_")}
    environment["PYTHONPATH"] = str(ROOT / "constructs")
    for cloud in clouds:
        example, picture = ROOT / f"apps/examples/{cloud}.toml", PICTURES / f"{cloud}.svg"
        if picture.exists() and picture.stat().st_mtime > max(code, example.stat().st_mtime):
            continue
        arguments = ["diagram", "--config", str(example), "--output", str(picture)]
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "aether_infra.cli", *arguments],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ExtensionError(f"no picture of {example}: {done.stderr}")


def exists(name: str) -> bool:
    """Whether there is such a package or module."""
    place = ROOT / "constructs/aether_infra" / name
    return place.is_dir() or place.with_suffix(".py").is_file()


def page(name: str, what: str) -> str:
    """The page of a package: what it is, and every module with its public members."""
    lines = [f"# `{name}`: {what}", ""]
    for module in modules(name):
        if module.count(".") > 1:
            lines += [f"## `{module.partition('.')[2]}`", ""]
        # what a package offers is described where it is defined
        again = ["   :no-members:"] if (ROOT / "constructs" / module.replace(".", "/")).is_dir() else []
        lines += ["```{eval-rst}", f".. automodule:: {module}", *again, "```", ""]
    return "\n".join(lines)


def modules(name: str) -> Iterator[str]:
    """Names of a package or module and of all that is in it, without importing any of it."""
    full = f"aether_infra.{name}"
    yield full
    folder = ROOT / "constructs" / full.replace(".", "/")
    inner = pkgutil.iter_modules([str(folder)]) if folder.is_dir() else ()
    for found in sorted(inner, key=lambda one: one.name):
        wanted = found.name in ONLY.get(name, [found.name]) and f"{full}.{found.name}" not in LEFT_OUT
        if wanted and not found.name.startswith("_"):
            yield from modules(f"{name}.{found.name}")


def without_fields(app: Sphinx, what: str, name: str, obj: Any, *rest: Any) -> tuple[str, None] | None:
    """Leave out the signature of a class of values: its fields follow, each with its type and its default."""
    if what in {"class", "exception"} and hasattr(obj, "__attrs_attrs__"):
        return "", None
    return None


def as_restructured_text(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Read `…` in a docstring as code."""
    blocks = re.split(r"\n\s*\n", "\n".join(lines)) if what == "module" else ["\n".join(lines)]
    lines[:] = "\n\n".join(
        drawn(block) if what == "module" and is_drawn(block) else coded(block) for block in blocks
    ).split("\n")


def coded(text: str) -> str:
    """What stands between single backticks as code."""
    return re.sub(r"(?<![`:\w])`([^`]+)`(?!`)", r"``\1``", text)


def is_drawn(block: str) -> bool:
    """Whether a block of a module's docstring is an example, a table or a tree: its lines stay as they are."""
    lines = block.splitlines()
    return any(mark in block for mark in "├└") or (
        len(lines) > 0 and all(line.startswith("    ") for line in lines)
    )


def drawn(block: str) -> str:
    """A block whose lines stay as they are."""
    return ".. code-block:: text\n\n" + "\n".join(f"   {line}" for line in block.splitlines())


def examples_as_they_are(app: Sphinx, context: Any, lines: list[str]) -> None:
    """Show lines that a terminal shows as they are in the same way here, and no * of a glob as emphasis."""
    shown: list[str] = []
    for line in lines:
        if not line.startswith("| "):
            shown.append(line.replace("*", r"\*"))
            continue
        if not shown or not shown[-1].startswith("   "):
            shown += ["", ".. code-block:: text", ""]
        shown.append(f"   {line[2:]}")
    lines[:] = shown


def only_our_references(app: Sphinx, doctree: nodes.document) -> None:
    """Keep references to what this site describes: other projects cannot be asked here, and are named as they are."""
    for paragraph in list(doctree.findall(nodes.paragraph)):
        if paragraph.astext() == "Bases: object":
            paragraph.parent.remove(paragraph)  # says nothing
    for reference in list(doctree.findall(addnodes.pending_xref)):
        if reference.get("refdomain") != "py":
            continue
        target = reference["reftarget"]
        if target in vars(errors):  # as in a docstring's "Raises"
            reference["reftarget"] = f"aether_infra.errors.{target}"
        elif not described(target):
            reference.replace_self(shown(reference))


def shown(reference: addnodes.pending_xref) -> list[nodes.Node]:
    """What a reference shows: of several forms, the one for a target that was found."""
    forms = [one for one in reference.children if isinstance(one, addnodes.pending_xref_condition)]
    if not forms:
        return reference.children
    return next(one.children for one in forms if one["condition"] == "resolved")


def described(target: str) -> bool:
    """Whether a name is one of the code that has a page here."""
    parts = target.split(".")
    if isinstance(getattr(sys.modules.get(".".join(parts[:-1])), parts[-1], None), TypeVar):
        return False
    return (
        target.startswith("aether_infra.")
        and parts[1] in PACKAGES
        and set(parts[2:3]) <= set(ONLY.get(parts[1], parts[2:3]))
        and not any(target.startswith(f"{package}.") for package in LEFT_OUT)
        and not parts[-1].startswith("_")
    )


def prose(docstring: GoogleDocstring) -> list[str]:
    """A variable's docstring, in which what stands before a colon is no type but the beginning of a sentence."""
    return list(docstring._consume_to_end())  # noqa: SLF001 - napoleon has no setting for this


class OurAnalyzer:
    """Reads comments in our own source only: autodoc would else read all of cdktf, whose classes are our bases."""

    stock = ModuleAnalyzer.for_module

    @classmethod
    def for_module(cls, name: str) -> ModuleAnalyzer:
        """As Sphinx's; a module of others is one without source."""
        if not name.startswith("aether_infra"):
            raise PycodeError(f"{name} is not ours")
        return cls.stock(name)


ModuleAnalyzer.for_module = OurAnalyzer.for_module  # type: ignore[method-assign]
GoogleDocstring._parse_attribute_docstring = prose  # type: ignore[method-assign]  # noqa: SLF001 - see `prose`
