"""Check the built site: every relative link leads to a file, every anchor to an element; other links have a good form.

python docs/check_links.py docs/_build/html
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

OUTSIDE = re.compile(r"https://[a-z0-9.-]+\.[a-z]+(?:/[^\s\"<>]*)?|mailto:[^\s@]+@[^\s@]+", re.IGNORECASE)
"""Links to elsewhere: by HTTPS, to a host with a name. They are not followed: the check needs no network."""


class Page(HTMLParser):
    """What a page can be linked to by, and what it links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect an element's id, and where it leads."""
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value)
            if name in {"href", "src"}:
                self.links.append(value)


def broken(site: Path) -> Iterator[str]:
    """Every link of a site that leads nowhere.

    Args:
        site: folder of the built site.

    Yields:
        One line each: the page, the link, and why.
    """
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        for link in page.links:
            reason = _fault(link, path, pages)
            if reason:
                yield f"{path.relative_to(site)}: {link}: {reason}"


def _fault(link: str, path: Path, pages: dict[Path, Page]) -> str:
    parts = urlsplit(link)
    if parts.scheme == "data":
        return ""
    if parts.scheme or parts.netloc:
        return "" if OUTSIDE.fullmatch(link) else "is neither https:// with a host nor mailto:"
    target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    if not target.is_file():
        return "no such file"
    fragment = unquote(parts.fragment)
    if fragment and target in pages and fragment not in pages[target].anchors:
        return "no such anchor"
    return ""


def main(site: Path) -> int:
    """Print every broken link; 1 if there is one, or no page at all."""
    site = site.resolve()
    if not any(site.rglob("*.html")):
        sys.stderr.write(f"{site}: no pages\n")
        return 1
    lines = list(broken(site))
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
