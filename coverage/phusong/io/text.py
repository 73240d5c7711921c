"""Bytes to Vietnamese text: Unicode in its forms, Windows-1258 and 1252, TCVN3 (ABC) and VNI.

An encoding is never guessed from the bytes alone: every candidate is read, and the one in which
the accented words are Vietnamese syllables wins, clearly or not at all.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from phusong.errors import InputFileError, Problem

__all__ = ["Decoded", "decode", "decode_tcvn3", "decode_vni", "vietnamese_share"]

# TCVN 5712:1993, VN3: one byte a letter; toned capitals have no code of their own.
_TCVN3_LETTERS = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
    0xB5: "àảãáạ",
    0xBB: "ằẳẵắ",
    0xC6: "ặầẩẫấậè",
    0xCE: "ẻẽéẹềểễếệìỉ",
    0xDC: "ĩíịò",
    0xE1: "ỏõóọồổỗốộờởỡớợù",
    0xF1: "ủũúụừửữứựỳỷỹýỵ",
}
_TCVN3 = {
    first + i: letter for first, row in _TCVN3_LETTERS.items() for i, letter in enumerate(row)
}

# VNI Windows: a plain vowel, then a sign that is its hat and tone in one; some letters stand alone.
_TONES = {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_HATS = {
    "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309",
    "ã": "\u0302\u0303", "ä": "\u0302\u0323", "ê": "\u0306", "é": "\u0306\u0301",
    "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303", "ë": "\u0306\u0323",
}  # fmt: skip
_ALONE = {"ô": "ơ", "ö": "ư", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "ñ": "đ", "î": "ỵ"}

_VOWELS = (
    "uyê|uya|uyu|iêu|yêu|uôi|ươi|ươu|oai|oay|oao|oeo|uay|uây|iê|yê|uô|ươ|ia|ua|ưa|oa|oă|oe|uâ|uê|uy|"
    "ai|ay|ây|ao|au|âu|eo|êu|iu|oi|ôi|ơi|ui|ưi|ưu|uơ|a|ă|â|e|ê|i|o|ô|ơ|u|ư|y"
)
_SYLLABLE = re.compile(
    rf"(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx])?(?:{_VOWELS})(?:ch|nh|ng|[cmnpt])?"
)
_TONE_MARKS = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_WORD = re.compile(r"[^\W\d_]+")
# A UTF-8 lead byte and what follows it, each read as a letter of Windows-1252.
_FOLLOWING = bytes(range(0x80, 0xC0)).decode("cp1252", "ignore") + "\x81\x8d\x8f\x90\x9d"
_DOUBLED = re.compile(f"[\xc2-\xf4][{re.escape(_FOLLOWING)}]")
_DOUBLED_BYTES = re.compile(rb"\xc3[\x82-\xb4][\xc2-\xf4]")  # the same in UTF-8 and more, fast
SURE_SHARE = 0.6
SAMPLE_CHARACTERS = 200_000
SHOWN_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text in NFC, the name of its encoding, and what had to be mended to read it."""

    text: str
    encoding: str
    repairs: tuple[Problem, ...] = ()


def decode(raw: bytes, *, name: str) -> Decoded:
    """Return the text of a table's bytes.

    Parameters
    ----------
    raw : bytes
    name : str
        The file, for messages.

    Raises
    ------
    InputFileError
        If the bytes are in no known encoding, or in two (the message lists the rows).

    Examples
    --------
    >>> decode("Xã Hà Long".encode(), name="a.csv").encoding
    'UTF-8'
    >>> decode(b"X\\xb7 H\\xb5 Long, Ph\\xad\\xeang", name="a.csv").text
    'Xã Hà Long, Phường'
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if raw.startswith(mark):
            return _strict(raw, encoding, name)
    blank = raw[:2000].count(0)
    if blank > len(raw[:2000]) * 0.3:
        is_little = raw[1:2000:2].count(0) > raw[0:2000:2].count(0)
        return _strict(raw, "utf-16-le" if is_little else "utf-16-be", name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode_legacy(raw, name)
    composed = unicodedata.normalize("NFC", text)
    may_be_doubled = composed != text or bool(_DOUBLED_BYTES.search(raw))
    return _mend_letters(composed, text, may_be_doubled=may_be_doubled)


def _strict(raw: bytes, encoding: str, name: str) -> Decoded:
    try:
        text = raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{name}: not whole {encoding.upper()}: byte {error.start}") from error
    return Decoded(text=unicodedata.normalize("NFC", text), encoding=encoding.upper())


def _mend_letters(text: str, before: str, *, may_be_doubled: bool) -> Decoded:
    """Undo what happened to text that is UTF-8 now but was read wrongly before it was saved."""
    if text.isascii():
        return Decoded(text=text, encoding="UTF-8")
    doubled = {}
    if may_be_doubled and _DOUBLED.search(text):
        lines = text.split("\n")
        doubled = {i: once for i, line in enumerate(lines) if (once := _undouble(line)) is not None}
    if doubled:
        for i, line in doubled.items():
            lines[i] = line
        rows = _listed(i + 1 for i in doubled)
        entry = _repair("UTF-8 encoded twice", f"{len(doubled)} lines read back ({rows})")
        mended = unicodedata.normalize("NFC", "\n".join(lines))
        return Decoded(text=mended, encoding="UTF-8 encoded twice", repairs=(entry,))
    for encoding, reader in (("TCVN3 (ABC)", decode_tcvn3), ("VNI", decode_vni)):
        letters = _as_bytes(text)
        if letters is None:
            break
        other = reader(letters)
        if vietnamese_share(other) > max(vietnamese_share(text) + 0.2, SURE_SHARE):
            entry = _repair(f"{encoding} letters", "read as Vietnamese")
            return Decoded(text=other, encoding=f"{encoding} letters", repairs=(entry,))
    if text != before and sum(map(_is_split, before.split("\n"))):
        entry = _repair("letters and accents apart (NFD)", "joined (NFC)")
        return Decoded(text=text, encoding="UTF-8", repairs=(entry,))
    return Decoded(text=text, encoding="UTF-8")


def _is_split(line: str) -> bool:
    return any("\u0300" <= letter <= "\u036f" for letter in line)


def _undouble(line: str) -> str | None:
    if line.isascii():
        return None
    letters = _as_bytes(line)
    if letters is None:
        return None
    try:
        once = letters.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return once if once != line else None


def _as_bytes(text: str) -> bytes | None:
    """Return the Windows-1252 bytes of `text`; None where it holds other letters."""
    try:
        return text.encode("cp1252")
    except UnicodeEncodeError as error:
        if not "\x80" <= text[error.start] < "\xa0":
            return None
    out = bytearray()
    for letter in text:
        if letter < "\x80" or "\x80" <= letter < "\xa0":
            out.append(ord(letter))
            continue
        try:
            out += letter.encode("cp1252")
        except UnicodeEncodeError:
            return None
    return bytes(out)


def _decode_legacy(raw: bytes, name: str) -> Decoded:
    _refuse_mixture(raw, name)
    readers: dict[str, Callable[[bytes], str]] = {
        "Windows-1258": _decode_1258,
        "TCVN3 (ABC)": decode_tcvn3,
        "VNI": decode_vni,
        "Windows-1252": lambda b: b.decode("cp1252"),
    }
    scores = {}
    sample = raw[:SAMPLE_CHARACTERS]
    for encoding, reader in readers.items():
        try:
            scores[encoding] = vietnamese_share(reader(sample))
        except UnicodeDecodeError:
            continue
    ranked = sorted(scores, key=lambda encoding: -scores[encoding])
    best = ranked[0] if ranked else ""
    if not best or scores[best] < SURE_SHARE:
        first = next(i for i, byte in enumerate(raw) if byte > 0x7F)
        row = raw.count(b"\n", 0, first) + 1
        raise InputFileError(
            f"{name}: row {row}: the encoding is not known (mã hóa không rõ): not UTF-8, and in "
            f"none of {', '.join(readers)} are the words Vietnamese: save the table as UTF-8"
        )
    try:
        text = readers[best](raw)
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise InputFileError(f"{name}: row {row}: a byte is not {best}: save as UTF-8") from error
    return Decoded(text=text, encoding=best, repairs=(_repair(best, "decoded"),))


def _refuse_mixture(raw: bytes, name: str) -> None:
    """Refuse a file of which some lines are UTF-8 and others are not."""
    good: list[int] = []
    bad: list[int] = []
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.isascii():
            (good if _is_utf8(line) else bad).append(number)
    if good and bad:
        fewer, is_bad = (bad, True) if len(bad) <= len(good) else (good, False)
        raise InputFileError(
            f"{name}: two encodings in one file (mã hóa): rows {_listed(fewer)} are "
            f"{'not UTF-8, the others are' if is_bad else 'UTF-8, the others are not'}: "
            "save these rows again in the encoding of the others"
        )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decode_1258(raw: bytes) -> str:
    return unicodedata.normalize("NFC", raw.decode("cp1258"))


def decode_tcvn3(raw: bytes) -> str:
    """Return the text of TCVN3 (ABC) bytes; what has no letter there is read as Windows-1252.

    Examples
    --------
    >>> decode_tcvn3(b"V\\xdc \\xae\\xe9")
    'Vĩ độ'
    """
    return "".join(_TCVN3.get(byte) or bytes([byte]).decode("cp1252", "replace") for byte in raw)


def decode_vni(raw: bytes) -> str:
    """Return the text of VNI Windows bytes.

    Examples
    --------
    >>> decode_vni("Vó ñoä, Phöôøng".encode("cp1252"))
    'Vĩ độ, Phường'
    """
    out: list[str] = []
    for letter in raw.decode("cp1252", "replace"):
        low = letter.lower()
        base = unicodedata.normalize("NFD", out[-1])[0].lower() if out else ""
        if low in _TONES and base in "aeouy" and base:
            out[-1] += _TONES[low]
        elif low in _HATS and base in ("a", "e", "o") and out[-1].isascii():
            out[-1] += _HATS[low]
        elif low in _ALONE:
            out.append(_ALONE[low] if letter == low else _ALONE[low].upper())
        else:
            out.append(letter)
    return unicodedata.normalize("NFC", "".join(out))


def vietnamese_share(text: str) -> float:
    """Return the share of accented words that are Vietnamese syllables; 0 where none is accented.

    Examples
    --------
    >>> vietnamese_share("Phường Hàm Rồng"), vietnamese_share("Phöôøng Ròng")
    (1.0, 0.5)
    """
    words = [w for w in _WORD.findall(text[:SAMPLE_CHARACTERS].lower()) if not w.isascii()]
    return sum(map(_is_syllable, words)) / len(words) if words else 0.0


@cache
def _is_syllable(word: str) -> bool:
    apart = unicodedata.normalize("NFD", word)
    toneless = unicodedata.normalize("NFC", _TONE_MARKS.sub("", apart))
    return len(_TONE_MARKS.findall(apart)) <= 1 and bool(_SYLLABLE.fullmatch(toneless))


def _repair(found: str, message: str) -> Problem:
    return Problem(row=None, field="encoding", found=found, expected="UTF-8 (NFC)", message=message)


def _listed(rows: Iterable[int]) -> str:
    numbers = list(rows)
    more = f" and {len(numbers) - SHOWN_ROWS} more" if len(numbers) > SHOWN_ROWS else ""
    return ", ".join(map(str, numbers[:SHOWN_ROWS])) + more
