"""Writing results: files appear whole or not at all, and nothing of others is replaced."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from aether_infra.errors import OutputError
from aether_infra.output_folder import Renames, workshop_in

MARK = ".aether-infra"
"""File by which a folder is known as one that this tool made; it lists what it wrote."""
MARK_TEXT = "Made by aether-infra, which replaces these files when it writes them again:\n"


def write_file(path: Path, content: str, *, force: bool = True) -> None:
    """Write a file whole or not at all.

    Args:
        path: where; its folder is made.
        content: the text, written as UTF-8.
        force: whether an existing file is replaced.

    Raises:
        OutputError: it exists and must not be replaced, or cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, not a file")
    if path.exists() and not force:
        raise OutputError(f"{path}: exists; --force replaces it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(content)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {_reason(error)}") from error


def write_folder(
    folder: Path,
    files: Mapping[str, str | bytes],
    *,
    executable: Collection[str] = (),
    keep: Collection[str] = (),
) -> None:
    """Write files into a folder, all of them or none.

    What this tool wrote there before, and does not any more, is removed; everything else in the folder stays, be it
    Terraform's (states, locks, plugins) or somebody's own.

    Args:
        folder: where; it is made with its parents.
        files: relative path = content.
        executable: which of them are programs.
        keep: relative paths that are never written over, nor removed, if they are there.

    Raises:
        OutputError: there is something in its place that this tool did not make, or it cannot be written; nothing was
            changed then.
    """
    before = _written_before(folder)
    wanted = {
        name: content for name, content in files.items() if name not in keep or not (folder / name).exists()
    }
    mark = MARK_TEXT + "".join(f"{name}\n" for name in sorted(files))
    with workshop_in(folder) as workshop:
        made = workshop / "made"
        try:
            for name, content in {**wanted, MARK: mark}.items():
                file = made / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content if isinstance(content, bytes) else content.encode())
                if name in executable:
                    file.chmod(file.stat().st_mode | 0o111 & ~_umask())
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written: {_reason(error)}") from error
        (workshop / "removed").mkdir()
        _exchange(
            folder, made, Renames(workshop / "removed"), [*wanted, MARK], before - files.keys() - {*keep}
        )
    for name in sorted(before - files.keys()):
        with suppress(OSError):  # not empty
            (folder / name).parent.rmdir()


def _written_before(folder: Path) -> set[str]:
    """Relative paths of what this tool wrote into a folder.

    Raises:
        OutputError: there is something else in its place.
    """
    if not folder.exists():
        return set()
    if not folder.is_dir():
        raise OutputError(f"{folder}: is a file, not a folder")
    try:
        lines = (folder / MARK).read_text(encoding="utf-8").removeprefix(MARK_TEXT).splitlines()
    except FileNotFoundError:
        if any(folder.iterdir()):
            message = "is not empty and was not made by this tool; name another folder, or remove it"
            raise OutputError(f"{folder}: {message}") from None
        return set()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{folder}: cannot be read: {error}") from error
    return {line for line in lines if line and not Path(line).is_absolute() and ".." not in Path(line).parts}


def _exchange(
    folder: Path, made: Path, renames: Renames, written: Collection[str], gone: Collection[str]
) -> None:
    """Put what was made in its places, and away what is none any more; the mark comes last."""
    try:
        for name in written:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            renames.put(made / name, folder / name)
        for name in sorted(gone):
            renames.away(folder / name)
    except BaseException as error:
        renames.undo()
        if isinstance(error, OSError):
            raise OutputError(f"{folder}: cannot be written: {_reason(error)}") from error
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
