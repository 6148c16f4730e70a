#!/usr/bin/env python3
"""Write the tables of docs/settings.md: `.venv/bin/python scripts/settings-page.py`.

Names, options and first sentences come from gunicorn's own KNOWN_SETTINGS, which includes Cowherd's
settings. gunicorn_settings_taken_over.py says what Cowherd does with each.
Only the text between the markers `<!-- NAME: made by scripts/settings-page.py -->` and
`<!-- end of NAME -->` is replaced.
`--check` writes nothing, and exits with 1 if the page is out of date.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"
sys.path[:0] = [str(ROOT / "agent"), str(ROOT / "scripts")]

from cowherd_agent.mold.own_settings import SECTION  # noqa: E402  (importing it registers them all)
from gunicorn.config import KNOWN_SETTINGS  # noqa: E402
from gunicorn_settings_taken_over import SINCE, TREATMENTS  # noqa: E402

OWN_SECTION = SECTION
SECTIONS = (
    "Config File",
    "Server Socket",
    "Worker Processes",
    "Server Mechanics",
    "Server Hooks",
    "Logging",
    "Process Naming",
    "Security",
    "SSL",
    "HTTP/2",
    "Debugging",
    "Control",
    "Dirty Arbiters",
    "Dirty Arbiter Hooks",
)
"""gunicorn's sections, in the order of the page; any other section comes last."""

ANCHOR = "settings-that-cowherd-takes-over"

Row = tuple[str, ...]


def table(head: Row, rows: list[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def first_sentence(description: str) -> str:
    """The first sentence of gunicorn's reStructuredText, as Markdown."""
    paragraph = textwrap.dedent(description).strip().split("\n\n")[0].replace("\n", " ")
    paragraph = re.sub(r":ref:`([^<`]+?)(?: *<[^`>]+>)?`", r"\1", paragraph)
    paragraph = re.sub(r"``([^`]+)``", r"`\1`", paragraph)
    sentence = re.split(r"(?<=\.) (?=[A-Z])", paragraph)[0]
    return sentence.rstrip(".").replace("|", "\\|")


def options(setting: Any) -> str:
    if not setting.cli:
        return ""
    takes_value = setting.action is None or setting.action == "append"
    meta = f" {setting.meta}" if takes_value and setting.meta else ""
    return ", ".join(f"`{option}{meta}`" for option in setting.cli)


def since(name: str) -> str:
    version = next((version for version, names in SINCE.items() if name in names), None)
    return "" if version is None else f" (from {version})"


def treatment(name: str) -> str:
    if name not in TREATMENTS:
        return "unchanged"
    kind, text = TREATMENTS[name]
    return f"unchanged: {text}" if kind == "unchanged" else f"[{kind}](#{ANCHOR})"


def gunicorn_settings() -> list[Any]:
    return [each for each in KNOWN_SETTINGS if each.section != OWN_SECTION]


def own_settings() -> list[Any]:
    return [each for each in KNOWN_SETTINGS if each.section == OWN_SECTION]


def own_table() -> str:
    def default(setting: Any) -> str:
        if setting.action == "store_true":
            return "off"
        if setting.default == () or callable(setting.default):
            return "none"
        return f"`{setting.default}`"

    rows = [
        (f"`{each.name}`", options(each), default(each), paragraphs(each.desc))
        for each in own_settings()
    ]
    return table(("setting", "option", "default", ""), rows)


def paragraphs(description: str) -> str:
    """A whole description in one table cell."""
    text = " ".join(textwrap.dedent(description).split())
    return re.sub(r"``([^`]+)``", r"`\1`", text).replace("|", "\\|")


def taken_over_table() -> str:
    rows = []
    for each in gunicorn_settings():
        if each.name in TREATMENTS and TREATMENTS[each.name].kind != "unchanged":
            kind, text = TREATMENTS[each.name]
            rows.append((f"`{each.name}`", kind, text))
    rows.sort(key=lambda row: row[1] == "no effect")
    return table(("setting", "", "what Cowherd does"), rows)


def all_tables() -> str:
    settings = gunicorn_settings()
    extra = sorted({each.section for each in settings} - set(SECTIONS))
    parts = []
    for section in (*SECTIONS, *extra):
        rows = [
            (
                f"`{each.name}`{since(each.name)}",
                options(each),
                first_sentence(each.desc),
                treatment(each.name),
            )
            for each in settings
            if each.section == section
        ]
        if rows:
            parts.append(
                f"### {section}\n\n" + table(("setting", "option", "in gunicorn", "here"), rows)
            )
    return "\n\n".join(parts)


BLOCKS: dict[str, Callable[[], str]] = {
    "own settings": own_table,
    "settings taken over": taken_over_table,
    "all settings": all_tables,
}


def rendered(text: str) -> str:
    """The page with every block remade. Raises ValueError if a marker is missing."""
    for name, make in BLOCKS.items():
        start = f"<!-- {name}: made by scripts/settings-page.py -->"
        end = f"<!-- end of {name} -->"
        head, found_start, rest = text.partition(start)
        _, found_end, tail = rest.partition(end)
        if not found_start or not found_end:
            raise ValueError(f"{PAGE}: the markers of {name!r} are missing")
        text = f"{head}{start}\n\n{make()}\n\n{end}{tail}"
    return text


def main() -> int:
    before = PAGE.read_text("utf-8")
    after = rendered(before)
    if before == after:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{PAGE.relative_to(ROOT)} is out of date: run scripts/settings-page.py")
        return 1
    PAGE.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
