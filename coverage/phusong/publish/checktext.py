"""What a planner reads after `phusong check`: the verdict, the counts, the first of each list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phusong.sentences import tell
from phusong.words import read_words

__all__ = ["format_check"]

SHOWN = 12


def format_check(account: Mapping[str, Any], *, lang: str = "vi") -> str:
    """Return the account of one file (see `io.check.check_file`) as text for a terminal."""
    words = read_words("check", lang)
    lines = [f"[{words[account['verdict']]}] {account['layer']}: {account['file']}"]
    if account["verdict"] == "accepted":
        lines.append("  " + words["rows"].format(**account))
    for name in ("errors", "quarantine", "repairs", "notes"):
        entries = account[name]
        if not entries:
            continue
        lines += ["", f"{words[name]} ({len(entries)}):"]
        lines += [f"  {_line(entry, words, lang)}" for entry in entries[:SHOWN]]
        if len(entries) > SHOWN:
            lines.append("  " + words["more"].format(n=len(entries) - SHOWN))
    return "\n".join(lines)


def _line(entry: Mapping[str, Any] | str, words: Mapping[str, str], lang: str) -> str:
    if isinstance(entry, str):
        return tell(entry, lang)
    message = tell(entry["message"], lang)
    if not entry["field"]:
        return message
    where = "" if entry["row"] is None else f"{words['row']} {entry['row']}, "
    found, expected = (tell(entry[name], lang) for name in ("found", "expected"))
    return f"{where}{entry['field']}: {found} → {expected}{f' ({message})' if message else ''}"
