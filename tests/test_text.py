"""Bytes to Vietnamese text: every encoding that sheets come in, and none that is guessed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.errors import InputFileError
from phusong.io.text import _ALONE, _HATS, _TCVN3, _TONES, decode, decode_tcvn3, decode_vni

SENTENCE = "Phường Hạc Thành, Xã Thiệu Toán, Ngọc Lặc, Sầm Sơn, Mường Lát, Quý Lộc, Đông Thọ"
LETTERS = sorted(
    {unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in
     ("", "\u0301", "\u0300", "\u0309", "\u0303", "\u0323")} | {"đ"}
)  # fmt: skip
BYTE_OF_TCVN3 = {letter: byte for byte, letter in _TCVN3.items()}


def to_tcvn3(text: str) -> bytes:
    return b"".join(
        bytes([BYTE_OF_TCVN3[c]]) if c in BYTE_OF_TCVN3 else c.encode("ascii") for c in text
    )


def to_vni(text: str) -> bytes:
    """Encode as the VNI fonts do; the tables are turned round."""
    alone = {letter: sign for sign, letter in _ALONE.items()}
    hats = {marks: sign for sign, marks in _HATS.items()}
    tones = {mark: sign for sign, mark in _TONES.items()}
    out = []
    for letter in text:
        base, *marks = unicodedata.normalize("NFD", letter)
        horned = unicodedata.normalize("NFC", base + "".join(m for m in marks if m == "\u031b"))
        rest = [m for m in marks if m != "\u031b"]
        ordered = "".join(sorted(rest, key=lambda m: m not in ("\u0302", "\u0306")))
        if letter in alone:
            out.append(alone[letter])
        elif ordered in hats:
            out.append(base + hats[ordered])
        else:
            out.append(alone.get(horned, horned) + "".join(tones[m] for m in ordered))
    return "".join(out).encode("cp1252")


@given(st.text(alphabet=[*LETTERS, " ", "h", "n"], max_size=40))
def test_tcvn3_and_vni_come_back_as_they_were(text: str) -> None:
    assert decode_tcvn3(to_tcvn3(text)) == text
    separated = " ".join(text)  # VNI signs join what stands before them
    assert decode_vni(to_vni(separated)) == separated


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (SENTENCE.encode(), "UTF-8"),
        (("\ufeff" + SENTENCE).encode(), "UTF-8"),
        (SENTENCE.encode("utf-16"), "UTF-16"),
        (SENTENCE.encode("utf-16-le"), "UTF-16-LE"),
        (unicodedata.normalize("NFD", SENTENCE).encode(), "UTF-8"),
        (to_tcvn3(SENTENCE.lower()), "TCVN3 (ABC)"),
        (to_vni(SENTENCE.lower()), "VNI"),
        (to_vni(SENTENCE.lower()).decode("cp1252").encode(), "VNI letters"),
        (to_tcvn3(SENTENCE.lower()).decode("cp1252").encode(), "TCVN3 (ABC) letters"),
    ],
)
def test_sentence_is_read_in_each_encoding(raw: bytes, encoding: str) -> None:
    found = decode(raw, name="a.csv")
    assert found.encoding == encoding
    assert found.text.lower() == SENTENCE.lower()
    assert bool(found.repairs) == (
        not encoding.startswith("UTF") or raw == unicodedata.normalize("NFD", SENTENCE).encode()
    )


def test_windows_1258_is_read_and_joined() -> None:
    marks = ("\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    raw = bytearray()
    for letter in SENTENCE:  # a base letter that the code page has, then the tone apart
        apart = unicodedata.normalize("NFD", letter)
        tone = "".join(m for m in apart if m in marks)
        base = unicodedata.normalize("NFC", "".join(m for m in apart if m not in marks))
        raw += (base + tone).encode("cp1258")
    found = decode(bytes(raw), name="a.csv")
    assert (found.text, found.encoding) == (SENTENCE, "Windows-1258")


def test_lines_encoded_twice_are_read_back_and_listed() -> None:
    twice = SENTENCE.encode().decode("latin-1")
    twice = "".join(bytes([ord(c)]).decode("cp1252", "ignore") or c for c in twice)
    found = decode(f"a,b\n{twice}\nplain\n".encode(), name="a.csv")
    assert found.text.split("\n")[1] == SENTENCE
    assert "1 lines read back (2)" in found.repairs[0].message


def test_two_encodings_in_one_file_are_refused_with_their_rows() -> None:
    lines = [SENTENCE.encode(), to_tcvn3(SENTENCE.lower()), SENTENCE.encode()]
    with pytest.raises(InputFileError, match=r"a\.csv: two encodings .* rows 2 are not UTF-8"):
        decode(b"\n".join(lines), name="a.csv")


def test_bytes_of_no_known_encoding_are_refused_with_their_row() -> None:
    with pytest.raises(InputFileError, match=r"row 2: the encoding is not known"):
        decode(b"a,b\n\xff\xfd\x01\x9d,\xc0\xaf\n", name="a.csv")


@pytest.mark.parametrize("text", ["Latin only: Café", "plain ASCII", "Xã Hà Long", "Ã, â and ê"])
def test_sound_text_comes_back_without_a_repair(text: str) -> None:
    found = decode(text.encode(), name="a.csv")
    assert (found.text, found.encoding, found.repairs) == (text, "UTF-8", ())
