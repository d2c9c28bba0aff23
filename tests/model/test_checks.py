from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.model import ticks
from pipeline.model.checks import FileFacts, SampleFacts, compare, heard_problems
from pipeline.model.manifest import Dropped, Output, Span, Transcoded
from tests.model.films import FACTS, FRAME, OUTPUT, PICTURES, SECOND, SOUND
from tests.model.slicing import T0_MS

MS = ticks.PER_MS


def problems(output: Output, facts: FileFacts) -> list[str]:
    return [check.problem for check in compare(output, facts) if not check.good]


def video(**changes: Any) -> FileFacts:
    """The good file with another track of pictures."""
    return replace(FACTS, tracks=(replace(FACTS.tracks[0], **changes), FACTS.tracks[1]))


def audio(**changes: Any) -> FileFacts:
    """The good file with another track of sound."""
    return replace(FACTS, tracks=(FACTS.tracks[0], replace(FACTS.tracks[1], **changes)))


def first_sound_at(at: int) -> FileFacts:
    return audio(at={**FACTS.tracks[1].at, 0: SampleFacts(at, sync=True, counted=0)})


def first_picture_at(at: int) -> FileFacts:
    return video(at={0: SampleFacts(at, sync=True)})


def second_sound_at(at: int) -> FileFacts:
    return audio(at={**FACTS.tracks[1].at, 300: SampleFacts(at, sync=True, counted=300 * FRAME)})


def test_a_good_file_has_no_problem() -> None:
    checks = list(compare(OUTPUT, FACTS))
    assert [check.problem for check in checks if not check.good] == []
    assert len(checks) == 31


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        pytest.param(
            replace(FACTS, index_first=False),
            "moov stands after the media: players must fetch the end first",
            id="moov is behind the media",
        ),
        pytest.param(
            replace(FACTS, creation_ms=FACTS.creation_ms + 1000),
            "creation_time is 1768908601, not 1768908600",
            id="another creation time",
        ),
        pytest.param(replace(FACTS, size=1), "1 bytes instead of 123456", id="another size"),
        pytest.param(
            replace(FACTS, sha256="xx"), "its SHA-256 is not that of the manifest", id="another hash"
        ),
        pytest.param(video(handler="soun"), "video: handler is soun", id="a track of another kind"),
        pytest.param(video(entry="avc3"), "video: sample entry is avc3, not avc1", id="another sample entry"),
        pytest.param(audio(entry="Opus"), "audio: sample entry is Opus, not mp4a", id="another codec"),
        pytest.param(audio(timescale=44_100), "audio: timescale is 44100, not 48000", id="another timescale"),
        pytest.param(video(samples=149), "video: 149 samples instead of 150", id="a sample too few"),
        pytest.param(audio(samples=401), "audio: 401 samples instead of 400", id="a sample too many"),
        pytest.param(
            video(payload_sha256="xx"),
            "video: the payloads are not those that were read",
            id="other payloads",
        ),
        pytest.param(video(rising=False), "video: DTS do not rise strictly", id="DTS that do not rise"),
        pytest.param(
            video(end=10 * SECOND + MS + 1),
            "video: its end lies at 0:10.001 instead of 0:10.000",
            id="pictures that end over 1 ms late",
        ),
        pytest.param(
            audio(end=450 + 400 * FRAME - MS - 1),
            "audio: its end lies at 0:08.537 instead of 0:08.538",
            id="sound that ends over 1 ms early",
        ),
        pytest.param(
            video(first_key=False), "video: the first picture is no key frame", id="no key frame at first"
        ),
        pytest.param(video(clockwise=0), "video: it is turned by 0 degrees", id="another rotation"),
        pytest.param(
            second_sound_at(450 + 300 * FRAME + MS + 1),
            "audio: a span lies at 0:06.406 instead of 0:06.405",
            id="a span over 1 ms late",
        ),
        pytest.param(
            audio(at={0: SampleFacts(450, sync=True)}),
            "audio: a span lies at 0:00.000 instead of 0:06.405",
            id="a span that is not there",
        ),
    ],
)
def test_one_thing_wrong_is_the_problem_that_is_told(facts: FileFacts, problem: str) -> None:
    assert problems(OUTPUT, facts) == [problem]


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(video(end=10 * SECOND - MS), id="pictures that end 1 ms early"),
        pytest.param(audio(end=450 + 400 * FRAME + MS), id="sound that ends 1 ms late"),
        pytest.param(second_sound_at(450 + 300 * FRAME - MS), id="a span 1 ms early"),
        pytest.param(first_sound_at(450 + MS), id="sound 1 ms later than the picture should have it"),
        pytest.param(
            replace(FACTS, creation_ms=FACTS.creation_ms + 999), id="a creation time in the same second"
        ),
        pytest.param(audio(first_key=False, clockwise=90), id="sound, which knows no key frame or rotation"),
    ],
)
def test_what_lies_within_its_tolerance_is_good(facts: FileFacts) -> None:
    assert problems(OUTPUT, facts) == []


def test_sound_and_picture_each_within_its_tolerance_may_still_be_apart() -> None:
    apart = replace(FACTS, tracks=(first_picture_at(-MS).tracks[0], first_sound_at(450 + MS).tracks[1]))
    assert problems(OUTPUT, apart) == ["sound begins 7 ms after the picture, not 5"]


def with_sound(**changes: Any) -> Output:
    return replace(OUTPUT, tracks=(PICTURES, replace(SOUND, **changes)))


def late_by_count(ticks_late: int) -> tuple[Output, FileFacts]:
    """The second span later by PTS than its samples' count says, in manifest and file alike."""
    first, second = SOUND.spans
    late = replace(second, at=second.at + ticks_late)
    return with_sound(spans=(first, late)), second_sound_at(late.at)


COUNT_ALLOWS = 10 * MS + FRAME // 2


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        pytest.param(
            replace(OUTPUT, tracks=(replace(PICTURES, packets_in=153), SOUND)),
            "video: 153 packets came in, 152 are accounted for",
            id="a packet that nobody accounts for",
        ),
        pytest.param(
            replace(OUTPUT, tracks=(replace(PICTURES, dropped=(Dropped("overlap", 1),)), SOUND)),
            "video: 152 packets came in, 151 are accounted for",
            id="a dropped packet without a reason",
        ),
        pytest.param(
            with_sound(spans=(SOUND.spans[0], replace(SOUND.spans[1], packets=99))),
            "audio: its spans hold 299 packets, 300 were copied or encoded",
            id="spans that do not hold all packets",
        ),
        pytest.param(
            replace(OUTPUT, av_offset_ms=8),
            "sound begins 5 ms after the picture, not 8",
            id="another A/V offset",
        ),
    ],
)
def test_a_manifest_that_contradicts_itself_is_told(told: Output, problem: str) -> None:
    assert problems(told, FACTS) == [problem]


def test_sound_may_be_off_its_count_by_10_ms_and_half_a_frame() -> None:
    within, beyond = COUNT_ALLOWS - 450, COUNT_ALLOWS - 450 + 1
    assert problems(*late_by_count(within)) == []
    assert problems(*late_by_count(beyond)) == ["audio: by count a span lies at 0:06.400 instead of 0:06.421"]


@pytest.mark.parametrize(
    ("told", "facts", "expected"),
    [
        pytest.param(
            OUTPUT,
            replace(FACTS, tracks=FACTS.tracks[:1]),
            ["1 tracks instead of 2"],
            id="a track too few",
        ),
        pytest.param(
            replace(OUTPUT, tracks=(PICTURES,), av_offset_ms=None),
            FACTS,
            ["2 tracks instead of 1"],
            id="a track too many",
        ),
        pytest.param(
            replace(OUTPUT, tracks=(PICTURES,), av_offset_ms=None),
            replace(FACTS, tracks=FACTS.tracks[:1]),
            [],
            id="pictures only",
        ),
        pytest.param(
            replace(OUTPUT, tracks=(SOUND,), av_offset_ms=None),
            replace(FACTS, tracks=FACTS.tracks[1:]),
            [],
            id="sound only",
        ),
        pytest.param(
            replace(OUTPUT, size=0, sha256=""),
            FACTS,
            [],
            id="size and hash that are not known yet",
        ),
        pytest.param(
            replace(OUTPUT, tracks=(replace(PICTURES, codec="vp8"), SOUND)),
            FACTS,
            ["video: sample entry is avc1, not "],
            id="a codec that MP4 does not hold",
        ),
    ],
)
def test_tracks_are_compared_in_their_order(told: Output, facts: FileFacts, expected: list[str]) -> None:
    assert problems(told, facts) == expected


@pytest.mark.parametrize("medium", [0, 1])
def test_a_track_whose_packets_were_all_dropped_may_be_empty(medium: int) -> None:
    tracks, found = [PICTURES, SOUND], list(FACTS.tracks)
    tracks[medium] = replace(
        tracks[medium],
        packets_out=0,
        inserted=0,
        spans=(),
        dropped=(Dropped("outside the cut", tracks[medium].packets_in),),
    )
    found[medium] = replace(found[medium], samples=0, first_key=False, at={})
    told = replace(OUTPUT, tracks=tuple(tracks), av_offset_ms=None)
    assert problems(told, replace(FACTS, tracks=tuple(found))) == []


def test_an_offset_of_a_track_without_spans_is_no_crash() -> None:
    told = with_sound(spans=(), packets_out=0, packets_in=0, inserted=0)
    empty = audio(samples=0, at={})
    assert problems(told, empty) == ["sound begins 0 ms after the picture, not 5"]


def test_a_first_span_that_is_not_there_is_told_and_no_crash() -> None:
    assert len(problems(OUTPUT, video(at={}))) == 1
    missing = replace(PICTURES, spans=(Span(0, 2 * MS, 0, 7, 150, ""),))
    assert problems(replace(OUTPUT, tracks=(missing, SOUND)), FACTS) == [
        "video: a span lies at 0:00.000 instead of 0:00.002",
    ]


def heard(power: list[float], end_ms: int = 3000) -> list[str]:
    """Problems of a second of sound at -20 dB, a second of silence and another of sound, in 10 ms each."""
    spans = (Span(T0_MS, 0, SECOND, 0, 47, "start"), Span(T0_MS, 2 * SECOND, 3 * SECOND, 47, 47, "gap"))
    anew = Transcoded(94, 142, (-200, -200))
    told = replace(SOUND, spans=spans, end=3 * SECOND, transcoded=anew)
    return list(heard_problems(told, ticks.from_ms(end_ms), power))


LOUD, QUIET = [0.01] * 100, [0.0] * 100


@pytest.mark.parametrize(
    ("power", "end_ms", "found"),
    [
        pytest.param(LOUD + QUIET + LOUD, 3000, [], id="as it was encoded"),
        pytest.param(LOUD + [0.01] * 5 + [0.0] * 95 + LOUD, 3000, [], id="smeared by 50 ms"),
        pytest.param(LOUD + QUIET + LOUD, 3020, [], id="20 ms longer"),
        pytest.param([0.013] * 100 + QUIET + LOUD, 3000, [], id="a decibel louder"),
        pytest.param(
            LOUD + QUIET + QUIET, 3000,
            ["sound from 0:02.000 on has -120.0 dB instead of -20.0"], id="a stretch is silent",
        ),
        pytest.param(
            LOUD + [0.0] * 50 + [0.001] * 50 + LOUD, 3000,
            ["there is sound before 0:02.000, where nobody is heard"], id="sound in a gap",
        ),
        pytest.param(
            LOUD + QUIET + LOUD, 3030, ["it decodes to 0:03.030 instead of 0:03.000"], id="30 ms longer",
        ),
    ],
)  # fmt: skip
def test_what_is_heard_is_held_against_what_was_encoded(
    power: list[float], end_ms: int, found: list[str]
) -> None:
    assert heard(power, end_ms) == found


def test_sound_below_what_encoders_keep_may_be_anything() -> None:
    told = replace(SOUND, spans=SOUND.spans[:1], end=SECOND, transcoded=Transcoded(300, 47, (-750,)))
    assert list(heard_problems(told, SECOND, [0.0] * 640)) == []


def test_encoded_sound_must_account_for_every_packet_and_frame() -> None:
    anew = Transcoded(packets=SOUND.packets_in, frames=400, levels=(0, 0))
    told = replace(SOUND, packets_out=0, inserted=0, dropped=(), transcoded=anew)
    told = replace(told, spans=(replace(SOUND.spans[0], packets=SOUND.packets_in),))
    output = replace(OUTPUT, tracks=(PICTURES, told))
    assert problems(output, FACTS) == []
    lost = replace(told, transcoded=replace(anew, packets=1))
    assert len(problems(replace(output, tracks=(PICTURES, lost)), FACTS)) == 2
