from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.text_files import read_text, text_of

MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff"))


@given(TEXTS, st.sampled_from(sorted(MARKED)), st.sampled_from(["\n", "\r\n", "\r"]))
def test_marks_encodings_and_line_ends_never_matter(text, encoding, end):
    assert text_of(MARKED[encoding] + text.replace("\n", end).encode(encoding)) == text
    assert text_of(text.replace("\n", end).encode()) == text


@given(st.binary())
def test_any_bytes_are_some_text(data):
    assert "\r" not in text_of(data)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_names_with_accents_are_read_from_either_encoding(encoding, tmp_path):
    (tmp_path / "a").write_bytes("métal: 1\n".encode(encoding))
    assert read_text(tmp_path / "a") == "métal: 1\n"
