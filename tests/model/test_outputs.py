from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.model.outputs import MOST_BYTES, cut, fill, safe, unique
from tests.model.laws import patient

VALUES = {"uid": "ann", "screen": "", "utc": "20260120113022488", "kind": "_av", "recording": "sid_room"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("ann", "ann", id="a plain id"),
        pytest.param("ann@example.com", "ann@example.com", id="an address"),
        pytest.param("a+b-c_d.e", "a+b-c_d.e", id="what names may hold"),
        pytest.param("张三", "张三", id="Chinese"),
        pytest.param("e\u0301", "é", id="a letter and its accent become one"),
        pytest.param("", "%", id="nothing"),
        pytest.param("..", "%2E.", id="the folder above"),
        pytest.param(".hidden", "%2Ehidden", id="a leading dot"),
        pytest.param("-rf", "%2Drf", id="a leading dash"),
        pytest.param("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd", id="a path"),
        pytest.param("a\\b", "a%5Cb", id="a path of another system"),
        pytest.param("a b", "a%20b", id="a space"),
        pytest.param("$(rm -rf)`x`;|&", "%24%28rm%20-rf%29%60x%60%3B%7C%26", id="a shell"),
        pytest.param("a\nb\0c", "a%0Ab%00c", id="control characters"),
        pytest.param("100%", "100%25", id="a percent sign"),
        pytest.param("a:b*c?\"<>'", "a%3Ab%2Ac%3F%22%3C%3E%27", id="what Windows refuses"),
        pytest.param("\u202egpj.exe", "%E2%80%AEgpj.exe", id="a change of writing direction"),
        pytest.param("\ud800", "%ED%A0%80", id="half a surrogate pair"),
        pytest.param("👩", "%F0%9F%91%A9", id="an emoji"),
    ],
)
def test_any_id_becomes_a_name(text: str, name: str) -> None:
    assert safe(text) == name


TEXTS = st.text(st.characters(codec=None), max_size=60) | st.text("./\\-% _aA\0\n", max_size=300)


@given(text=TEXTS)
def test_a_name_is_one_component_that_no_shell_reads_anything_into(text: str) -> None:
    name = safe(text)
    assert re.fullmatch(r"[\w%@+][\w.@+%-]*", name)
    assert "/" not in name
    assert name not in {".", ".."}
    assert name == unicodedata.normalize("NFC", name)
    assert name.encode().decode() == name


@given(a=TEXTS, b=TEXTS)
def test_different_ids_have_different_names(a: str, b: str) -> None:
    same = unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)
    assert (safe(a) == safe(b)) == same or {safe(a), safe(b)} == {"%"}


@patient
@given(text=TEXTS, whole=st.text(max_size=5))
def test_a_cut_name_fits_and_holds_no_half_of_anything(text: str, whole: str) -> None:
    short = cut(safe(text), whole)
    assert 0 < len(short.encode()) <= MOST_BYTES
    assert not re.search(r"%(?![0-9A-F]{2})", short.removeprefix("%") if text == "" else short)


@patient
@given(
    stems=st.lists(
        st.sampled_from(["Ann", "ann", "ANN", "ß", "ss", "İ", "x" * 130, "X" * 130, "é" * 70]) | TEXTS,
        max_size=8,
    )
)
def test_final_names_differ_even_where_case_does_not_count(stems: list[str]) -> None:
    pairs = [(safe(stem), f"{number}\0{stem}") for number, stem in enumerate(stems)]
    names = unique(pairs)
    assert len({name.casefold() for name in names}) == len(names)
    assert all(0 < len(name.encode()) <= MOST_BYTES for name in names)
    assert unique(pairs) == names


@patient
@given(stems=st.lists(TEXTS, max_size=6), data=st.data())
def test_final_names_do_not_depend_on_their_order(stems: list[str], data: st.DataObject) -> None:
    pairs = [(safe(stem), f"{number}\0{stem}") for number, stem in enumerate(stems)]
    shuffled = data.draw(st.permutations(pairs))
    assert dict(zip(pairs, unique(pairs), strict=True)) == dict(zip(shuffled, unique(shuffled), strict=True))


def test_a_name_that_stands_alone_is_kept() -> None:
    assert unique([("ann_1_av", "a"), ("bob_1_av", "b")]) == ["ann_1_av", "bob_1_av"]


@pytest.mark.parametrize(
    "stem", ["x" * 121, "é" * 61, "张" * 41, "%41" * 41, "a" + "%41" * 41, "aa" + "%41" * 41]
)
def test_long_names_are_cut_and_told_apart(stem: str) -> None:
    first, second = cut(stem, "one"), cut(stem, "two")
    assert first != second
    for name in (first, second):
        assert re.fullmatch(r".+_[0-9a-f]{8}", name)
        assert len(name.encode()) <= MOST_BYTES
        assert stem.startswith(name[:-9])
        assert not re.search(r"%[0-9A-F]?_", name)


def test_a_name_that_just_fits_is_not_cut() -> None:
    assert cut("x" * 120, "") == "x" * 120


def test_a_hash_that_meets_another_name_gives_way() -> None:
    taken = unique([("Ann", "1"), ("ann", "2")])
    names = unique([("Ann", "1"), ("ann", "2"), (taken[0], "3")])
    assert len({name.casefold() for name in names}) == 3


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        pytest.param("", "ann_20260120113022488_av", id="the default"),
        pytest.param("{uid}", "ann", id="one field"),
        pytest.param("{recording}/{uid}", "sid_room%2Fann", id="a separator between fields is no folder"),
        pytest.param("-{uid} {utc}", "%2Dann%2020260120113022488", id="text is made safe too"),
        pytest.param("{{{uid}}}", "%7Bann%7D", id="braces"),
        pytest.param("plain", "plain", id="no field"),
    ],
)
def test_a_pattern_is_filled_in(pattern: str, name: str) -> None:
    assert fill(pattern, VALUES) == name


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        pytest.param("{user}", "has an unknown field 'user'", id="an unknown field"),
        pytest.param("{}", "has an unknown field ''", id="no field name"),
        pytest.param("{0}", "has an unknown field '0'", id="a number"),
        pytest.param("{uid.__class__}", "has an unknown field 'uid.__class__'", id="an attribute"),
        pytest.param("{uid[0]}", "has an unknown field 'uid[0]'", id="an index"),
        pytest.param("{uid:>99999999}", "has an unknown field 'uid'", id="a width"),
        pytest.param("{uid!r}", "has an unknown field 'uid'", id="a conversion"),
        pytest.param("{uid", "is no pattern (", id="a brace that is not closed"),
        pytest.param("uid}", "is no pattern (", id="a brace that was not opened"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_fields_there_are(pattern: str, sentence: str) -> None:
    with pytest.raises(CommandError) as caught:
        fill(pattern, VALUES)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("use {uid} {screen} {utc} {kind} {recording}.")
