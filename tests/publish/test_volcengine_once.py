"""Once only: a publishing that is stopped anywhere and run again makes one medium, or says why not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pipeline.errors import BusyError, ConditionError, DeniedError, StorageError
from tests.publish.volcengine_fake import volcengine
from tests.publish.volcengine_material import (
    PART,
    SHORT,
    Journal,
    environ,
    film,
    film_of,
    keep,
    kept,
    vod,
)
from tests.publish.volcengine_space import Refuse, Space
from tests.servers.faults import Drop, Strike, at, faulty

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.publish.volcengine_fake import VolcengineFake
    from tests.publish.volcengine_space import Asked

ROOT = Path(__file__).parents[2]
FILM = film(2 * PART + 9)
REQUESTS = 7
"""Look, apply, begin, two parts, end, commit."""
AGAIN = ("same", "refused", "another")


@pytest.fixture
def fake() -> Iterator[VolcengineFake]:
    with volcengine() as server:
        yield server


class Stopped(BaseException):
    """A process that ends here, as the code sees it: nothing may catch it."""


class StoppingJournal(Journal):
    """Stops at a note: before it is kept, or after."""

    def __init__(self, at_note: int, *, after: bool) -> None:
        super().__init__()
        self._at_note = at_note
        self._after = after

    def __call__(self, noted: Mapping[str, str]) -> None:
        stops = len(self.notes) + 1 == self._at_note
        if stops and not self._after:
            raise Stopped
        super().__call__(noted)
        if stops:
            raise Stopped


def run_again(fake: VolcengineFake, begun: Mapping[str, str], **changed: Any) -> str:
    """One run more, in which nothing fails; and that makes the one medium the film has."""
    vid = vod(fake, **changed).publish(FILM, begun, Journal()).id
    assert [medium.vid for medium in fake.space.media] == [vid]
    with FILM.open() as file:
        assert fake.space.media[0].data == file.read()
    return vid


def test_a_run_notes_its_session_before_the_bytes_and_before_the_commit(fake: VolcengineFake) -> None:
    seen: list[tuple[str, list[str]]] = []
    vod(fake).publish(FILM, {}, lambda noted: seen.append((noted["stage"], fake.space.kinds())))
    (session,) = fake.space.sessions
    assert seen == [
        ("uploading", ["ListFileMetaInfosByFileNames", "ApplyUploadInfo"]),
        (
            "committing",
            ["ListFileMetaInfosByFileNames", "ApplyUploadInfo", "init", "part", "part", "finish"],
        ),
    ]
    journal = Journal()
    vod(fake, folder="else/").publish(FILM, {}, journal)
    path = f"else/{FILM.sha256}/user-42_2026-1.mp4"
    assert journal.notes[0] == {
        "origin": fake.endpoint,
        "space": "films",
        "path": path,
        "stage": "uploading",
        "session": next(key for key in fake.space.sessions if key != session),
        "vid": "",
    }


@pytest.mark.parametrize("second_commit", AGAIN)
@pytest.mark.parametrize("after", [False, True], ids=["before it is kept", "after it is kept"])
@pytest.mark.parametrize("note", [1, 2], ids=["the session", "the commit"])
def test_a_run_that_stops_at_a_note_is_made_good_by_the_next(
    note: int, *, after: bool, second_commit: Literal["same", "refused", "another"]
) -> None:
    with volcengine(Space(second_commit=second_commit)) as fake:
        journal = StoppingJournal(note, after=after)
        with pytest.raises(Stopped):
            vod(fake).publish(FILM, {}, journal)
        sent = fake.space.kinds().count("part")
        run_again(fake, journal.last)
        anew = note == 1 or not after
        assert fake.space.kinds().count("part") == (sent + 2 if anew else sent)


@contextmanager
def striking(fake: VolcengineFake, number: int, *, after: bool) -> Iterator[tuple[str, dict[str, int]]]:
    """The endpoint of a proxy that kills whoever makes the n-th request; the dict is to have its pid."""
    victim: dict[str, int] = {}
    strike = Strike(lambda _: os.kill(victim["pid"], signal.SIGKILL), after=after)
    with faulty(fake.as_s3(), at(number, strike)) as proxy:
        fake.upload_hosts = [f"127.0.0.1:{proxy.port}"]
        yield proxy.server.endpoint, victim


KILLS = [
    *((number, after, "same") for number in range(1, REQUESTS + 1) for after in (False, True)),
    (REQUESTS, True, "refused"),
    (REQUESTS, True, "another"),
]


@pytest.mark.parametrize(
    ("number", "after", "second_commit"),
    [
        pytest.param(
            number, after, second, id=f"request {number}, {'' if after else 'not '}answered, {second}"
        )
        for number, after, second in KILLS
    ],
)
def test_a_process_that_is_killed_at_any_request_is_made_good_by_the_next(
    number: int, tmp_path: Path, *, after: bool, second_commit: Literal["same", "refused", "another"]
) -> None:
    notes, given = tmp_path / "notes.json", tmp_path / "film.mp4"
    with FILM.open() as file:
        given.write_bytes(file.read())
    with volcengine(Space(second_commit=second_commit)) as fake:
        with striking(fake, number, after=after) as (endpoint, victim):
            command = [
                sys.executable,
                "-m",
                "tests.publish.volcengine_material",
                endpoint,
                str(given),
                str(notes),
            ]
            env = {**os.environ, "PYTHONPATH": str(ROOT), **environ(fake.space.login)}
            with subprocess.Popen(command, cwd=ROOT, env=env) as process:
                victim["pid"] = process.pid
                assert process.wait() == -signal.SIGKILL
            assert len(fake.space.media) == (1 if number == REQUESTS and after else 0)
            made = film_of(given.read_bytes(), file="user 42_2026+1.mp4")
            again = vod(fake, endpoint=endpoint).publish(made, kept(notes), lambda noted: keep(notes, noted))
        assert [medium.vid for medium in fake.space.media] == [again.id]


@pytest.mark.parametrize("second_commit", AGAIN)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_commit_whose_answer_is_lost_is_asked_about_in_the_same_run(
    *, after: bool, second_commit: Literal["same", "refused", "another"]
) -> None:
    with (
        volcengine(Space(second_commit=second_commit)) as fake,
        faulty(fake.as_s3(), at(REQUESTS, Drop(after=after))) as proxy,
    ):
        fake.upload_hosts = [f"127.0.0.1:{proxy.port}"]
        run_again(fake, {}, endpoint=proxy.server.endpoint)


@pytest.mark.parametrize("second_commit", ["same", "refused"])
def test_a_listing_that_lags_behind_makes_no_second_medium(second_commit: Literal["same", "refused"]) -> None:
    with volcengine(Space(second_commit=second_commit)) as fake:
        journal = Journal()
        vid = vod(fake).publish(FILM, {}, journal).id
        fake.space.unseen = 2
        assert run_again(fake, journal.last) == vid


def test_a_film_that_is_a_medium_already_is_not_sent_even_where_no_note_is_left(fake: VolcengineFake) -> None:
    vid = run_again(fake, {})
    asked = len(fake.space.asked)
    assert run_again(fake, {}) == vid
    assert fake.space.kinds()[asked:] == ["ListFileMetaInfosByFileNames"]


def test_a_session_that_has_ended_gives_way_to_a_new_one(fake: VolcengineFake) -> None:
    journal = StoppingJournal(2, after=True)
    with pytest.raises(Stopped):
        vod(fake).publish(FILM, {}, journal)
    fake.space.sessions.clear()
    run_again(fake, journal.last)
    assert fake.space.kinds().count("part") == 4


@pytest.mark.parametrize("changed", [{"folder": "else/"}, {"space": "others"}], ids=["a folder", "a space"])
def test_notes_about_another_place_do_not_count(changed: dict[str, str]) -> None:
    with volcengine() as fake:
        journal = StoppingJournal(2, after=True)
        with pytest.raises(Stopped):
            vod(fake).publish(FILM, {}, journal)
        fake.space.name = changed.get("space", "films")
        (session,) = fake.space.sessions
        run_again(fake, journal.last, **changed)
        assert fake.space.media[0].vid != fake.space.sessions[session].vid


@pytest.mark.parametrize("begun", [{"stage": "committing"}, {"stage": "?", "session": "x"}, {"vid": "v"}])
def test_notes_that_are_none_of_ours_do_not_count(fake: VolcengineFake, begun: dict[str, str]) -> None:
    run_again(fake, begun)


@pytest.mark.parametrize("refuse", [Refuse(503, "InternalError"), Refuse(403, "AccessDenied")])
def test_a_session_is_not_given_up_because_the_service_is_busy_or_denies(
    fake: VolcengineFake, refuse: Refuse
) -> None:
    journal = StoppingJournal(2, after=True)
    with pytest.raises(Stopped):
        vod(fake).publish(FILM, {}, journal)
    fake.space.rule = lambda asked: refuse if asked.kind == "CommitUploadInfo" else None
    with pytest.raises((BusyError, DeniedError), match=str(refuse.code)):
        vod(fake, patience=SHORT).publish(FILM, journal.last, Journal())
    assert fake.space.kinds().count("ApplyUploadInfo") == 1
    fake.space.rule = lambda _: None
    run_again(fake, journal.last)


# Spaces that do not overwrite.


@pytest.mark.parametrize("forbids", ["apply", "bytes"])
@pytest.mark.parametrize("size", [1000, FILM.size], ids=["whole", "in parts"])
def test_bytes_that_arrived_unnoticed_become_the_medium(
    forbids: Literal["apply", "bytes"], size: int
) -> None:
    given = film(size)
    with volcengine() as fake:
        journal = StoppingJournal(2, after=False)
        with pytest.raises(Stopped):
            vod(fake).publish(given, {}, journal)
        fake.space.forbids = forbids
        vid = vod(fake).publish(given, journal.last, Journal()).id
        assert [medium.vid for medium in fake.space.media] == [vid]


@pytest.mark.parametrize("number", [3, 6], ids=["whole", "in parts"])
def test_bytes_whose_arrival_was_not_told_are_committed(number: int) -> None:
    given = film(1000) if number == 3 else FILM
    with (
        volcengine(Space(forbids="bytes")) as fake,
        faulty(fake.as_s3(), at(number, Drop(after=True))) as proxy,
    ):
        fake.upload_hosts = [f"127.0.0.1:{proxy.port}"]
        vid = vod(fake, endpoint=proxy.server.endpoint).publish(given, {}, Journal()).id
        assert [medium.vid for medium in fake.space.media] == [vid]


@pytest.mark.parametrize("forbids", ["apply", "bytes"])
def test_a_file_that_is_in_the_way_and_no_medium_is_told(
    fake: VolcengineFake, forbids: Literal["apply", "bytes"]
) -> None:
    path = f"{FILM.sha256}/user-42_2026-1.mp4"
    fake.space.files[path] = b"another"
    fake.space.forbids = forbids
    with pytest.raises(ConditionError, match=rf"a file {path} that is no medium .*delete it there"):
        vod(fake).publish(FILM, {}, Journal())
    assert fake.space.media == []


def test_a_medium_that_was_made_meanwhile_is_the_film_s(fake: VolcengineFake) -> None:
    made: list[str] = []

    def meanwhile(asked: Asked) -> None:
        if asked.kind == "CommitUploadInfo" and not made:
            made.append("")
            made.append(vod(fake).publish(FILM, {}, Journal()).id)

    fake.space.forbids = "commit"
    fake.space.rule = meanwhile
    assert vod(fake).publish(FILM, {}, Journal()).id == made[1]
    assert [medium.vid for medium in fake.space.media] == [made[1]]


# Media of other bytes.


def test_a_medium_of_other_bytes_is_told_until_it_is_deleted(fake: VolcengineFake) -> None:
    fake.space.told_size = 7
    journal = Journal()
    with pytest.raises(StorageError, match="of other bytes than those") as caught:
        vod(fake).publish(FILM, {}, journal)
    assert journal.stages == ["uploading", "committing", "wrong"]
    with pytest.raises(StorageError, match="of other bytes than those"):
        vod(fake).publish(FILM, journal.last, Journal())
    assert fake.space.media[0].vid in str(caught.value)
    fake.space.media.clear()
    fake.space.told_size = None
    run_again(fake, journal.last)


def test_a_service_that_does_not_tell_the_size_is_believed(fake: VolcengineFake) -> None:
    fake.space.told_size = 0
    run_again(fake, {})
