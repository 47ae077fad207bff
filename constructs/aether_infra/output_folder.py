"""Puts synthesized stacks into the output folder: all of them or none, and never at the cost of anybody's state.

The folder is cdktf's: `manifest.json` and `stacks/<stack>/`, in which Terraform runs. So beside what is synthesized lie
providers, the lock file, plans, and a state where its backend is a path in there. None of this is moved or deleted, not
even for a moment. The new files are made in a folder of their own on the same disk, and take their places by renames,
which are taken back if one of them fails.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from aether_infra.errors import OutputError

MANIFEST = "manifest.json"
STACKS = "stacks"
SYNTHESIZED = ("assets", "cdk.tf", "cdk.tf.json", "metadata.json")
"""What cdktf writes into a stack's folder: the stack as JSON or, asked for HCL, as two files; and what it needs."""
WORKSHOP = ".aether-infra-"
"""Beginning of the name of the folder in which the new files are made."""


@frozen(kw_only=True)
class Change:
    """What came of an output folder."""

    written: tuple[str, ...]
    """Stacks that were written, in the order in which they are deployed."""
    untouched: tuple[str, ...]
    """Stacks of other clouds that stay as they were."""
    gone: tuple[str, ...]
    """Stacks that are none any more: what was synthesized of them is gone."""
    left: tuple[str, ...]
    """Which of those have files of Terraform's left, maybe a state."""


def check_replaceable(folder: Path) -> None:
    """Make sure that a folder can be written to.

    Raises:
        OutputError: there is something in its place that neither cdktf nor this tool made.
    """
    if folder.is_symlink() and not folder.exists():
        raise OutputError(f"{folder}: is a link to nowhere")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder}: is a file, not a folder")
    try:
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    except OSError as error:
        raise OutputError(f"{folder}: cannot be read: {_reason(error)}") from error
    ours = (folder / STACKS).is_dir() and ((folder / MANIFEST).is_file() or names == {STACKS})
    if names and not ours:
        raise OutputError(
            f"{folder}: is not empty and was not made by synth; name another folder, or remove it"
        )


def replace(
    folder: Path,
    synthesize: Callable[[Path], None],
    *,
    order: Collection[str] = (),
    only: Collection[str] | None = None,
) -> Change:
    """Synthesize into a folder.

    Args:
        folder: the output folder; it is made with its parents.
        synthesize: writes everything into the folder that it is given.
        order: names of all stacks that the configurations have, in the order in which they are deployed.
        only: the clouds whose stacks are synthesized; stacks of others stay as they are. None: all clouds, so that what
            is not synthesized is no stack any more.

    Raises:
        OutputError: see `check_replaceable`; or it cannot be written. Nothing has changed then.
    """
    check_replaceable(folder)
    with workshop_in(folder) as workshop:
        made, removed = workshop / "made", workshop / "removed"
        made.mkdir()
        removed.mkdir()
        synthesize(made)
        before, now = _manifest(folder), _manifest(made)
        written = [name for name in order if name in now["stacks"]]
        written += [name for name in now["stacks"] if name not in written]
        kept = [] if only is None else [name for name in before["stacks"] if _cloud(name) not in only]
        if kept:
            now["stacks"] |= {name: before["stacks"][name] for name in kept}
            (made / MANIFEST).write_text(manifest_text(now), encoding="utf-8")
        there = before["stacks"].keys() & {path.name for path in _entries(folder / STACKS) if path.is_dir()}
        gone = sorted(there - now["stacks"].keys())
        _exchange(folder, made, Renames(removed), written, gone)
    for name in gone:
        with suppress(OSError):  # not empty
            (folder / STACKS / name).rmdir()
    left = tuple(name for name in gone if (folder / STACKS / name).is_dir())
    return Change(written=tuple(written), untouched=tuple(kept), gone=tuple(gone), left=left)


def manifest_text(manifest: dict[str, Any]) -> str:
    """A manifest as cdktf writes it: keys in order, and an empty list on two lines."""
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
    return re.sub(r"^( *)(.*)\[\]", r"\1\2[\n\1]", text, flags=re.MULTILINE)


def _cloud(stack: str) -> str:
    """The cloud that a stack's name ends with."""
    return stack.removesuffix("-workload").rpartition("-")[2]


def _manifest(folder: Path) -> dict[str, Any]:
    """What a folder's manifest says; nothing where there is none, or none that can be read."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if isinstance(manifest["stacks"], dict):
            return manifest
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {"stacks": {}}


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _exchange(
    folder: Path, made: Path, renames: Renames, written: Collection[str], gone: Collection[str]
) -> None:
    """Put what was made in its places, and away what was synthesized before; the manifest comes last."""
    try:
        (folder / STACKS).mkdir(exist_ok=True)
        for name in written:
            target = folder / STACKS / name
            if not target.is_dir():
                renames.put(made / STACKS / name, target)
                continue
            fresh = _entries(made / STACKS / name)
            for path in fresh:
                renames.put(path, target / path.name)
            for stale in sorted(set(SYNTHESIZED) - {path.name for path in fresh}):
                renames.away(target / stale)
        for name in gone:
            for stale in SYNTHESIZED:
                renames.away(folder / STACKS / name / stale)
        renames.put(made / MANIFEST, folder / MANIFEST)
    except BaseException as error:
        renames.undo()
        if isinstance(error, OSError):
            raise OutputError(f"{folder}: cannot be written: {_reason(error)}") from error
        raise


@define
class Renames:
    """Renames that can be taken back."""

    removed: Path
    """Where what is replaced waits."""
    done: list[tuple[Path, Path]] = field(factory=list)
    """What was renamed to what, in order."""

    def put(self, source: Path, target: Path) -> None:
        """Put a file or folder in its place."""
        self.away(target)
        self._rename(source, target)

    def away(self, target: Path) -> None:
        """Take a file or folder out of its place, if it is there."""
        if target.is_symlink() or target.exists():
            self._rename(target, self.removed / str(len(self.done)))

    def _rename(self, source: Path, target: Path) -> None:
        source.rename(target)
        self.done.append((source, target))

    def undo(self) -> None:
        """Put everything back."""
        for source, target in reversed(self.done):
            with suppress(OSError):  # whatever can be put back is
                target.rename(source)


@contextmanager
def workshop_in(folder: Path) -> Iterator[Path]:
    """A new folder inside of the output folder, so on its disk; nothing of either stays if something fails."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(dir=folder, prefix=WORKSHOP))
    except OSError as error:
        _remove_empty(missing)
        raise OutputError(f"{folder}: cannot be written: {_reason(error)}") from error
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
        _remove_empty([folder / STACKS, *missing])


def _remove_empty(folders: Collection[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # not empty, or not there
            folder.rmdir()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
