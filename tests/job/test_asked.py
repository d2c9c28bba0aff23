"""What a batch is asked for: lists, the same source written otherwise, places, the file of its state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.job.asked import STATE, Entry, items_of, parts_of, read_list, state_of

if TYPE_CHECKING:
    from pipeline.model.batch import Item

LIST = b"""
# of Monday
calls:room7
  recordings/a b\t
{"source": "s3://bucket/x", "place": "vod:x"}\r
\t
{"source": "#5"}
./#6
"""


def test_a_list_has_a_source_a_line_and_comments() -> None:
    assert read_list(LIST, "list") == (
        Entry("calls:room7"),
        Entry("recordings/a b"),
        Entry("s3://bucket/x", "vod:x"),
        Entry("#5"),
        Entry("./#6"),
    )


def test_a_list_holds_any_name_that_a_file_system_has() -> None:
    (entry,) = read_list(b"rec/\xff\xe5\xbc\xa0", "list")
    assert os.fsencode(entry.source) == b"rec/\xff\xe5\xbc\xa0"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param(b'{"source": ', "list, line 2 is no JSON", id="cut off"),
        pytest.param(b'{"place": "x"}', "list, line 2 names no source", id="no source"),
        pytest.param(b'{"source": ""}', "list, line 2 names no source", id="an empty one"),
        pytest.param(b'{"source": 7}', "list, line 2 names no source", id="a number"),
        pytest.param(b'{"source": "a", "place": null}', "list, line 2 names no source", id="no place"),
        pytest.param(b'{"source": "a", "dest": "b"}', "list, line 2 has 'dest'", id="a misspelt field"),
        pytest.param(b"{" * 9, "list, line 2 is no JSON", id="deep"),
    ],
)
def test_a_line_that_is_none_is_refused_with_its_number(line: bytes, told: str) -> None:
    with pytest.raises(CommandError) as error:
        read_list(b"calls:a\n" + line, "list")
    assert told in str(error.value)
    assert 'expected a source, or {"source": "…", "place": "…"}' in str(error.value)


def sources(place: str, *entries: Entry | str) -> list[Item]:
    return items_of([each if isinstance(each, Entry) else Entry(each) for each in entries], place)


@pytest.mark.parametrize(
    "other",
    ["./rec/a", "rec//a", "rec/a/", "rec/b/../a", str(Path("rec/a").absolute())],
)
def test_a_folder_is_the_same_however_it_is_written(other: str) -> None:
    assert len(sources("out", "rec/a", other)) == 1
    assert sources("out", "rec/a")[0].place == sources("out", other)[0].place


@pytest.mark.parametrize(("one", "other"), [("calls:a", "calls:a/"), ("s3://bucket/a", "s3://bucket/a/")])
def test_a_prefix_is_the_same_with_a_slash_and_without(one: str, other: str) -> None:
    assert len(sources("vod:", one, other)) == 1


@pytest.mark.parametrize(
    "pair",
    [
        ("calls:a/room7", "calls:b/room7"),
        ("calls:a", "s3://calls/a"),
        ("s3://one/a", "s3://two/a"),
        ("rec/a", "rec/b/a"),
        ("rec/a", "rec/A"),
        ("calls:a", "calls:a//"),
        ("calls:张三", "calls:%E5%BC%A0%E4%B8%89"),
    ],
)
def test_sources_with_like_names_go_to_places_of_their_own(pair: tuple[str, str]) -> None:
    one, other = sources("out", *pair)
    assert one.place.casefold() != other.place.casefold()


@pytest.mark.parametrize(
    ("source", "begins"),
    [
        ("calls:2026/room7", "out/room7_"),
        ("calls:", "out/calls_"),
        ("s3://bucket", "out/bucket_"),
        ("/", "out/_"),
        ("rec/a b", "out/a%20b_"),
    ],
)
def test_a_folder_is_called_by_the_last_part_of_its_source(source: str, begins: str) -> None:
    (found,) = sources("out", source)
    assert found.place.startswith(begins)
    assert len(found.place) == len(begins) + 8


def test_a_place_of_its_own_is_taken_as_it_is() -> None:
    own, other = sources("out", Entry("calls:a", "vod:exactly/here"), "calls:b")
    assert own.place == "vod:exactly/here"
    assert other.place.startswith("out/b_")


@pytest.mark.parametrize(
    ("entries", "place", "told"),
    [
        pytest.param((), "out", "there is no source", id="nothing"),
        pytest.param(("calls:a",), "", "calls:a has no place", id="no place"),
        pytest.param(("oss://x/y",), "out", 'profile = "oss"', id="no address"),
        pytest.param(
            (Entry("calls:a", "vod:x"), Entry("calls:b", "vod:x/")),
            "",
            "calls:a and calls:b would both go to vod:x/",
            id="one place for two",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    entries: tuple[Entry | str, ...], place: str, told: str
) -> None:
    with pytest.raises(CommandError) as error:
        sources(place, *entries)
    assert told in str(error.value)


def test_an_empty_source_is_none() -> None:
    with pytest.raises(CommandError, match="a source is empty"):
        Entry("")


class TestParts:
    def test_a_folder_that_was_found_has_the_place_of_one_that_was_asked_for(self) -> None:
        (whole,) = sources("out", "calls:2026")
        found = parts_of(whole, "out", ("room7", "deep/room8"))
        asked = sources("out", "calls:2026/room7", "calls:2026/deep/room8")
        assert [(p.identity, p.place) for p in found] == [(a.identity, a.place) for a in asked]

    def test_a_place_of_its_own_gets_folders_for_several(self) -> None:
        (whole,) = sources("", Entry("rec", "out/here"))
        places = [part.place for part in parts_of(whole, "", ("a", "b"))]
        assert [place.rpartition("_")[0] for place in places] == ["out/here/a", "out/here/b"]
        assert [part.place for part in parts_of(whole, "", ("a",))] == ["out/here"]


class TestState:
    @pytest.mark.parametrize(
        ("place", "folder"),
        [("out", "out"), ("out/{name}/mp4", "out"), ("{name}", "."), ("", "."), ("/a/b-{name}", "/a")],
    )
    def test_of_a_folder_it_lies_there(self, place: str, folder: str) -> None:
        assert state_of(place, {}) == Path(folder) / STATE

    def test_of_a_store_it_lies_where_programs_keep_their_state(self, tmp_path: Path) -> None:
        there = {"XDG_STATE_HOME": str(tmp_path)}
        one, same, named, other = (
            state_of(place, there) for place in ("vod:a", "vod:a/", "vod:a/{name}/mp4", "vod:b")
        )
        assert one.parent == tmp_path / "recpipe"
        assert one == same == named
        assert one != other
        assert state_of("vod:a", {}).parts[-4:-1] == (".local", "state", "recpipe")
