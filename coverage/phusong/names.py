"""Vietnamese place names compared as people read them: letters, tone place, type, accents."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["commune_type_of", "normalise_name", "short_name", "strip_accents"]

# The tone of these vowel pairs is written on either letter: Hòa and Hoà are one name.
_OPEN_PAIRS = (("o", "a"), ("o", "e"), ("u", "y"))
_TONES = "\u0300\u0301\u0303\u0309\u0323"

_TYPES = {
    "xã": ("xã", "x.", "xa"),
    "phường": ("phường", "p.", "phuong"),
    "thị trấn": ("thị trấn", "tt.", "thi tran"),
    "đặc khu": ("đặc khu", "đk.", "dac khu"),
}


def normalise_name(name: str) -> str:
    """Return the form in which two spellings of one name are equal; accents are kept.

    Examples
    --------
    >>> normalise_name("  Xã HOẰNG HOÁ ") == normalise_name("X. Hoằng  Hóa")
    True
    >>> normalise_name("Tân Thành") == normalise_name("Tân Thạnh")
    False
    """
    text = " ".join(unicodedata.normalize("NFC", name).casefold().split())
    kind = commune_type_of(text)
    if kind:
        text = f"{kind} {_without_type(text)}"
    return _tone_on_first_vowel(text)


def short_name(name: str) -> str:
    """Return a commune's name without its type.

    Examples
    --------
    >>> short_name("Phường Hàm Rồng"), short_name("TT. Ngọc Lặc"), short_name("Hạc Thành")
    ('Hàm Rồng', 'Ngọc Lặc', 'Hạc Thành')
    """
    return _without_type(" ".join(unicodedata.normalize("NFC", name).split()))


def commune_type_of(name: str) -> str | None:
    """Return the commune type that a name begins with, or None.

    Examples
    --------
    >>> commune_type_of("Xã Nga Sơn"), commune_type_of("P. 1"), commune_type_of("Xuân Lập")
    ('xã', 'phường', None)
    """
    text = unicodedata.normalize("NFC", name).strip().casefold()
    for kind, prefixes in _TYPES.items():
        if any(_begins(text, prefix) for prefix in prefixes):
            return kind
    return None


def strip_accents(name: str) -> str:
    """Return the name in plain Latin letters.

    Examples
    --------
    >>> strip_accents("Đông Thọ")
    'Dong Tho'
    """
    plain = name.replace("đ", "d").replace("Đ", "D")
    decomposed = unicodedata.normalize("NFD", plain)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _begins(text: str, prefix: str) -> bool:
    return text.startswith(prefix if prefix.endswith(".") else prefix + " ")


def _without_type(text: str) -> str:
    for prefixes in _TYPES.values():
        for prefix in prefixes:
            if _begins(text.casefold(), prefix):
                return text[len(prefix) :].strip()
    return text


def _tone_on_first_vowel(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    for first, second in _OPEN_PAIRS:
        late_tone = f"{first}{second}([{_TONES}])(?![a-z\u0300-\u036f])"
        decomposed = re.sub(late_tone, rf"{first}\1{second}", decomposed)
    return unicodedata.normalize("NFC", decomposed)
