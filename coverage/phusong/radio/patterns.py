"""The text of a pattern file (MSI, also called PLN, of Planet) becomes arrays."""

from __future__ import annotations

import re

import numpy as np

from phusong.errors import InputFileError
from phusong.radio.antenna import Pattern

__all__ = ["parse_pattern"]

DIPOLE_DBI = 2.15
ANGLES = 360
DEEPEST_DB = 200.0


def parse_pattern(text: str) -> Pattern:
    """Return the antenna that an MSI or PLN file describes.

    A line is a word and its value (NAME, FREQUENCY in MHz, GAIN in dBd where no unit is written,
    and others, which are not used); HORIZONTAL 360 and VERTICAL 360 are each followed by 360 lines
    of an angle and the attenuation below the maximum in dB.

    Parameters
    ----------
    text : str

    Returns
    -------
    Pattern

    Raises
    ------
    InputFileError
        With the line, if a part is missing, twice there, or not what it must be.

    Examples
    --------
    >>> rows = "\\n".join(f"{i} 0" for i in range(360))
    >>> cuts = f"HORIZONTAL 360\\n{rows}\\nVERTICAL 360\\n{rows}"
    >>> parse_pattern(f"NAME omni\\nGAIN 5 dBd\\n{cuts}").gain_dbi
    7.15
    """
    lines = text.lstrip("\ufeff").splitlines()
    words: dict[str, str] = {}
    cuts: dict[str, np.ndarray] = {}
    i = 0
    while i < len(lines):
        word, _, value = lines[i].strip().partition(" ")
        word, value = word.upper(), value.strip()
        if not word:
            i += 1
        elif word in ("HORIZONTAL", "VERTICAL"):
            if word in cuts:
                raise InputFileError(f"line {i + 1}: {word} is there twice")
            cuts[word] = _read_cut(lines, i, value)
            i += ANGLES + 1
        else:
            words.setdefault(word, value)
            i += 1
    missing = [name for name in ("GAIN", "HORIZONTAL", "VERTICAL") if name not in words | cuts]
    if missing:
        raise InputFileError(f"no {', no '.join(missing)}; is it an MSI or PLN pattern?")
    return Pattern(
        name=words.get("NAME", ""),
        gain_dbi=_gain_dbi(words["GAIN"]),
        frequency_mhz=_number(words["FREQUENCY"]) if words.get("FREQUENCY") else None,
        horizontal_db=cuts["HORIZONTAL"],
        vertical_db=cuts["VERTICAL"],
    )


def _read_cut(lines: list[str], head: int, count: str) -> np.ndarray:
    if count != str(ANGLES):
        raise InputFileError(f"line {head + 1}: found {count or 'no number'} angles, expected 360")
    cut = np.full(ANGLES, np.nan)
    for k in range(head + 1, head + 1 + ANGLES):
        fields = lines[k].split() if k < len(lines) else []
        try:
            angle, loss_db = (float(field.replace(",", ".")) for field in fields)
        except ValueError:
            found = repr(lines[k].strip()) if k < len(lines) else "the end of the file"
            raise InputFileError(
                f"line {k + 1}: found {found}, expected an angle and an attenuation"
            ) from None
        if not (0.0 <= angle < ANGLES and angle == int(angle) and np.isnan(cut[int(angle)])):
            raise InputFileError(f"line {k + 1}: angle {angle:g} is not a whole one, or is twice")
        if not 0.0 <= loss_db <= DEEPEST_DB:
            raise InputFileError(
                f"line {k + 1}: found {loss_db:g} dB, expected an attenuation of 0 to 200 dB"
            )
        cut[int(angle)] = loss_db
    return cut


def _gain_dbi(text: str) -> float:
    unit = re.sub(r"[\d\s.,+-]", "", text).casefold()
    if unit not in ("", "dbd", "dbi"):
        raise InputFileError(f"GAIN: found {text!r}, expected a number in dBd or dBi")
    gain = _number(re.sub(r"[a-zA-Z]", "", text))
    return gain if unit == "dbi" else gain + DIPOLE_DBI


def _number(text: str) -> float:
    try:
        return float(re.sub(r"[a-zA-Z\s]", "", text).replace(",", "."))
    except ValueError:
        raise InputFileError(f"found {text!r}, expected a number") from None
