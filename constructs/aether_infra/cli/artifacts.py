"""Writing results: a file or a folder appears whole or not at all, and nothing of others is replaced."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aether_infra.errors import OutputError

MARK = ".aether-infra"
"""File by which a folder is known as one that this tool made and may replace."""
MARK_TEXT = "Made by aether-infra, which replaces this folder when it writes it again.\n"


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


@contextmanager
def new_folder(path: Path, *, keep: tuple[str, ...] = (), mark: bool = True) -> Iterator[Path]:
    """A folder to write into, which takes the place of `path` when the block ends without an error.

    Args:
        path: where the folder will be. What is there already must be empty or have been made by this tool.
        keep: names (globs) of what is taken over from the old folder, such as Terraform's state.
        mark: whether to leave the mark by which the folder is known later.

    Raises:
        OutputError: there is something that this tool did not make, or it cannot be written.
    """
    if path.exists() and not replaceable(path):
        raise OutputError(
            f"{path}: is not empty and was not made by this tool; name another folder, or remove it"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {_reason(error)}") from error
    try:
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        if mark:
            (temporary / MARK).write_text(MARK_TEXT, encoding="utf-8")
        _swap(temporary, path, keep)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {_reason(error)}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_folder(
    path: Path,
    files: Mapping[str, str],
    *,
    executable: frozenset[str] = frozenset(),
    keep: tuple[str, ...] = (),
) -> None:
    """Write a folder whole or not at all.

    Args:
        path: where; see `new_folder`.
        files: relative path = text.
        executable: which of them are programs.
        keep: what is taken over from the old folder.

    Raises:
        OutputError: as `new_folder`.
    """
    with new_folder(path, keep=keep) as folder:
        for name, content in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8", newline="\n")
            if name in executable:
                file.chmod(file.stat().st_mode | 0o111 & ~_umask())


def replaceable(path: Path) -> bool:
    """Whether a folder is empty or was made by this tool."""
    return path.is_dir() and ((path / MARK).is_file() or not any(path.iterdir()))


def _swap(new: Path, path: Path, keep: tuple[str, ...]) -> None:
    """Put a folder in the place of another; what is to be kept moves over last."""
    old = None
    if path.exists():
        old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
        path.rename(old / path.name)
    new.rename(path)
    if old is None:
        return
    for pattern in keep:
        for kept in sorted((old / path.name).glob(pattern)):
            target = path / kept.relative_to(old / path.name)
            if not target.exists() and target.parent.is_dir():
                kept.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
