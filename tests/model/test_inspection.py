from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model.inspection import Presence, SeenRecording, SeenUser, Session, Stretch, seen
from pipeline.model.ledger import Entry, Sort
from pipeline.model.slices import Recording, User
from pipeline.model.timeline import arrange
from tests.model.slicing import T0_MS, pictures, sound, user

PRESENT, ABSENT, LOST = Presence.PRESENT, Presence.ABSENT, Presence.LOST
AWAY = "muted, off or away"


def look(*users: User, ledger: tuple[Entry, ...] = (), prefix: str = "") -> SeenRecording:
    times = [time for u in users if (time := arrange(u)) is not None]
    return seen(Recording("agora", prefix, "sid_room", users), times, ledger)


def one(found: User) -> SeenUser:
    (told,) = look(found).users
    return told


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            user(sound("0 0 10.24", "10.24 10.24 10.24")), [(0, 20_480, PRESENT, "first slice")], id="one run"
        ),
        pytest.param(
            user(sound("0 0 10.24", "10.24 10.24 10.24 START")),
            [(0, 20_480, PRESENT, "first slice")],
            id="two runs that touch",
        ),
        pytest.param(
            user(sound("0 0 10.24", "20 20 10.24 START")),
            [
                (0, 10_240, PRESENT, "first slice"),
                (10_240, 20_000, ABSENT, AWAY),
                (20_000, 30_240, PRESENT, "START tag"),
            ],
            id="a mute",
        ),
        pytest.param(
            user(sound("0 0 10.24", "10.24 0 10.24 missing", "20.48 20.48 10.24")),
            [
                (0, 10_240, PRESENT, "first slice"),
                (10_240, 20_480, LOST, "1 slice missing"),
                (20_480, 30_720, PRESENT, "after a missing slice"),
            ],
            id="a missing slice in between",
        ),
        pytest.param(
            user(sound("0 0 10.24 empty", "10.24 10.24 10.24", "20.48 0 10.24 missing")),
            [
                (0, 10_240, LOST, "empty"),
                (10_240, 20_480, PRESENT, "first slice"),
                (20_480, 30_720, LOST, "missing"),
            ],
            id="bad slices at both ends",
        ),
        pytest.param(
            user(sound("0 0 10.5 missing", "10.24 10.24 10.24")),
            [(0, 10_240, LOST, "missing"), (10_240, 20_480, PRESENT, "first slice")],
            id="a bad slice said to reach into the first good one",
        ),
        pytest.param(
            user(sound("0 0 10 missing", "10.25 0 10 missing", "20.501 0 10 missing", "30.501 0 10 empty")),
            [
                (0, 20_250, LOST, "missing"),
                (20_501, 30_501, LOST, "missing"),
                (30_501, 40_501, LOST, "empty"),
            ],
            id="bad slices only: near ones of one kind are one hole",
        ),
        pytest.param(
            user(sound("0 0 10 missing", "1 0 2 missing", "12 0 1 missing")),
            [(0, 10_000, LOST, "missing"), (12_000, 13_000, LOST, "missing")],
            id="a bad slice inside another",
        ),
    ],
)
def test_a_track_is_told_as_stretches(found: User, expected: list[tuple[int, int, Presence, str]]) -> None:
    (track,) = one(found).tracks
    assert track.stretches == tuple(
        Stretch(T0_MS + start, T0_MS + end, presence, why) for start, end, presence, why in expected
    )
    assert track.present_ms == sum(end - start for start, end, presence, _ in expected if presence is PRESENT)
    assert [s.presence for s in track.holes] == [p for _, _, p, _ in expected if p is not PRESENT]


def test_a_track_is_told_with_its_codecs_sizes_and_uncertainty() -> None:
    found = user(
        sound("0 0 10.24", "10.27 10.24 10.24"),
        pictures("0 0 10", "10 10 10 size=1280x720", "20 0 10 missing"),
    )
    video, audio = one(found).tracks
    assert (video.medium, video.codecs, video.slices, video.size) == (
        "video",
        ("h264 640x480", "h264 1280x720"),
        3,
        2 * 18_800,
    )
    assert (audio.medium, audio.codecs, audio.slices) == ("audio", ("aac 48000 Hz mono",), 2)
    assert audio.uncertainty_ms == 30


def test_a_user_whose_slices_cannot_be_read_is_told_all_the_same() -> None:
    told = one(user(sound("0 0 10.24 unreadable")))
    assert (told.sessions, told.shared_clock) == ((), False)
    (track,) = told.tracks
    assert (track.codecs, track.uncertainty_ms) == ((), None)
    assert track.stretches == (Stretch(T0_MS, T0_MS + 10_240, LOST, "unreadable"),)


def test_a_user_is_told_with_his_sessions_and_clock() -> None:
    told = one(user(sound("0 0 10.24", "60 60 10.24 START"), pictures("0.2 0.2 10"), uid="张三"))
    assert (told.uid, told.source, told.shared_clock) == ("张三", "camera", True)
    assert told.sessions == (Session(T0_MS, T0_MS + 10_240), Session(T0_MS + 60_000, T0_MS + 70_240))


def test_a_recording_is_told_over_all_users() -> None:
    loss = Entry(Sort.LOSS, "x")
    told = look(
        user(sound("5 0 10.24")),
        user(pictures("0 0 10"), source="screen"),
        user(sound("30 0 5 missing"), uid="bob"),
        ledger=(loss, Entry(Sort.NOTE, "y")),
        prefix="2026",
    )
    assert (told.start_ms, told.end_ms) == (T0_MS, T0_MS + 35_000)
    assert (told.title, told.losses) == ("2026/sid_room", (loss,))
    assert look(user(sound("5 0 10.24"))).title == "sid_room"


def test_a_slice_of_both_media_is_counted_once() -> None:
    apart = user(sound("0 0 10.24"), pictures("0 0 10"))
    assert (look(apart).slices, look(apart).size) == (2, 37_600)
    video = pictures("0 0 10")
    audio = sound("0 0 10.24")
    shared = replace(audio, slices=(replace(audio.slices[0], key=video.slices[0].key),))
    assert (look(user(shared, video)).slices, look(user(shared, video)).size) == (1, 18_800)


def test_nothing_is_told_of_nobody() -> None:
    told = look()
    assert (told.start_ms, told.end_ms, told.slices, told.size, told.users) == (0, 0, 0, 0, ())
