"""Endings and numbers of names, and the key of a job."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.containers import Container
from pipeline.model.job_key import job_key
from pipeline.model.naming import Facts, numbered
from tests.model.laws import patient

MP4, ALL = frozenset({".mp4"}), frozenset({".mp4", ".m4a", ".mp3"})


@pytest.mark.parametrize(
    ("container", "pictures", "known", "end"),
    [
        pytest.param(Container.MP4, True, MP4, ".mp4", id="an MP4"),
        pytest.param(Container.MP4, False, ALL, ".m4a", id="an MP4 of sound where M4A is known"),
        pytest.param(Container.MP4, False, MP4, ".mp4", id="an MP4 of sound where it is not"),
        pytest.param(Container.M4A, False, ALL, ".m4a", id="an M4A"),
        pytest.param(Container.M4A, False, MP4, None, id="an M4A that was asked for is no MP4"),
        pytest.param(Container.MP3, False, ALL, ".mp3", id="an MP3"),
        pytest.param(Container.MKV, True, ALL, None, id="no vendor writes Matroska"),
        pytest.param(Container.MP4, True, frozenset({".mp3"}), None, id="nothing fits"),
    ],
)
def test_an_ending_is_one_that_is_known(
    container: Container, *, pictures: bool, known: frozenset[str], end: str | None
) -> None:
    assert Facts("ann", "camera", 0, 0, container, pictures).ending(known) == end


FILES = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.builds(Facts, st.just("u"), st.just("camera"), st.integers(0, 3), st.just(1)),
    )
)


@patient
@given(files=FILES)
def test_numbers_count_those_that_are_alike_from_nought(files: list[tuple[str, Facts]]) -> None:
    out = numbered([like for like, _ in files], [facts for _, facts in files])
    for like in "ab":
        own = [number for number, (mark, _) in zip(out, files, strict=True) if mark == like]
        assert sorted(own) == [(n, len(own)) for n in range(len(own))]


def test_numbers_follow_time_and_what_is_not_made_comes_last() -> None:
    late, early = Facts("u", "camera", 2, 0), Facts("u", "camera", 1, 0)
    never = Facts("u", "camera", 0, 0, refused=True)
    assert [n for n, _ in numbered("xxx", [late, never, early])] == [1, 2, 0]


TEXTS = st.text(st.characters(codec=None), max_size=8)
WORK = st.tuples(TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3))


@patient
@given(one=WORK, other=WORK)
def test_other_work_has_another_key(
    one: tuple[str, str, str, dict[str, str]], other: tuple[str, str, str, dict[str, str]]
) -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", job_key(*one))
    assert (job_key(*one) == job_key(*other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("agora", "a", "b", {}), ("agora", "a/b", "", {}), id="where a prefix ends"),
        pytest.param(
            ("agora", "", "b", {"x": "1"}), ("agora", "", "b", {"x1": ""}), id="where an option ends"
        ),
        pytest.param(
            ("agora", "", "b", {"by": "user"}), ("agora", "", "b", {"by": "session"}), id="an option"
        ),
    ],
)
def test_a_key_tells_apart(
    one: tuple[str, str, str, dict[str, str]], other: tuple[str, str, str, dict[str, str]]
) -> None:
    assert job_key(*one) != job_key(*other)


def test_a_key_stays_what_it_is_in_any_order_of_options() -> None:
    # A key that changes makes every job of an earlier version anew.
    assert job_key("trtc", "calls", "1_2", {"by": "user", "name": "trtc"}) == "1606b4638b632f38"
    assert job_key("trtc", "calls", "1_2", {"name": "trtc", "by": "user"}) == "1606b4638b632f38"
