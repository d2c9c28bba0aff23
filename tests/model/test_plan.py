from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.decisions import Piece
from pipeline.model.estimate import PIXELS_A_SECOND
from pipeline.model.ledger import Entry, Sort
from pipeline.model.naming import Facts
from pipeline.model.options import Align, By, Gaps, OnChange, Options, Tracks
from pipeline.model.plan import Cut, Plan, plan
from pipeline.model.shapes import Shape
from pipeline.model.slices import Format, Medium, Recording, Track, User
from pipeline.model.stamps import stamp17
from pipeline.model.timeline import arrange
from tests.model.laws import patient
from tests.model.slicing import T0, T0_MS, at, pictures, piece, sound, steady, time, user

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.model.naming import Naming

ANN = user(
    sound("0 0 30.08", "60 60 30.08 START", "120 120 30.08 START"),
    pictures("0.2 0.2 30", "120.2 120.2 30 START"),
)
"""Three stays of half a minute; no picture in the second."""
STAYS = [("0", "30.2"), ("60", "90.08"), ("120", "150.2")]
BOB = user(sound(*steady(4, "15.04", "10", pts="1000")), uid="bob")
SCREEN = user(pictures(*steady(2, "15", "20", pts="7")), source="screen")


def planned(
    *users: User,
    options: Options | None = None,
    cuts: Mapping[tuple[str, str], Cut] | None = None,
    joints: Mapping[tuple[str, str], Sequence[int]] | None = None,
    notes: tuple[Entry, ...] = (),
    naming: Naming | None = None,
) -> Plan:
    times = [t for u in users if (t := arrange(u)) is not None]
    recording = Recording("agora", "", "sid_room", users)
    return plan(recording, times, options or Options(), cuts=cuts, joints=joints, notes=notes, naming=naming)


def pieces(of: Plan) -> list[list[tuple[str, str, str]]]:
    """Of each output: start and end in ms after T0, and ms in the file."""
    return [
        [(at(p.start), at(p.end), f"{p.at / ticks.PER_MS:.3f}") for p in output.pieces]
        for output in of.outputs
    ]


def ms(*times: str) -> tuple[str, ...]:
    return tuple(f"{time(text) / ticks.PER_MS:.3f}" for text in times)


def name(kind: str, after: str = "0", uid: str = "ann") -> str:
    return f"{uid}_{stamp17(T0_MS + time(after) // 90)}{kind}"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(Options(), [[ms("0", "150.2", "0")]], id="one file, gaps held"),
        pytest.param(
            Options(gaps=Gaps.DROP),
            [[ms("0", "30.2", "0"), ms("60", "90.08", "30.2"), ms("120", "150.2", "60.28")]],
            id="one file without the time between the sessions",
        ),
        pytest.param(
            Options(by=By.SESSION),
            [[ms(start, end, "0")] for start, end in STAYS],
            id="one file a session",
        ),
        pytest.param(
            Options(by=By.SESSION, gaps=Gaps.DROP),
            [[ms(start, end, "0")] for start, end in STAYS],
            id="one file a session, where nothing is to be dropped",
        ),
        pytest.param(
            Options(tracks=Tracks.VIDEO, gaps=Gaps.DROP),
            [[ms("0.2", "30.2", "0"), ms("60", "90.08", "30"), ms("120", "150.2", "60.08")]],
            id="pictures only, dropped as the whole user's time",
        ),
    ],
)
def test_pieces_are_what_of_utc_lies_in_the_file(
    options: Options, expected: list[list[tuple[str, ...]]]
) -> None:
    assert pieces(planned(ANN, options=options)) == expected


@pytest.mark.parametrize(
    ("low", "high", "options", "expected"),
    [
        pytest.param("10", "140", Options(), [[ms("10", "140", "0")]], id="a cut at both ends"),
        pytest.param("-5", "500", Options(), [[ms("0", "150.2", "0")]], id="a cut outside of everything"),
        pytest.param("40", "70", Options(), [[ms("60", "70", "0")]], id="a cut that begins in a gap"),
        pytest.param(
            "10",
            "70",
            Options(gaps=Gaps.DROP),
            [[ms("10", "30.2", "0"), ms("60", "70", "20.2")]],
            id="a cut with a dropped gap",
        ),
        pytest.param(
            "10",
            "70",
            Options(by=By.SESSION),
            [[ms("10", "30.2", "0")], [ms("60", "70", "0")]],
            id="a cut through two sessions",
        ),
        pytest.param("31", "59", Options(), [], id="a cut that leaves nothing of the user"),
    ],
)
def test_a_cut_leaves_what_lies_inside(
    low: str, high: str, options: Options, expected: list[list[tuple[str, ...]]]
) -> None:
    cut = Cut(T0 + time(low), T0 + time(high))
    assert pieces(planned(ANN, options=options, cuts={("ann", "camera"): cut})) == expected


def test_a_cut_leaves_out_runs_and_gaps_outside_of_it() -> None:
    cut = Cut(T0 + time("61"), T0 + time("70"))
    (output,) = planned(ANN, cuts={("ann", "camera"): cut}).outputs
    assert output.video is None
    assert output.audio is not None
    assert [at(run.start) for run in output.audio.runs] == list(ms("60"))
    assert output.audio.gaps == ()
    assert output.file == name("", "61") + ".m4a"


@pytest.mark.parametrize(
    ("options", "zeros"),
    [
        pytest.param(Options(), ["0", "10", "20"], id="each at his first media"),
        pytest.param(Options(align=Align.RECORDING), ["0", "0", "0"], id="all at the recording's"),
        pytest.param(
            Options(align=Align.RECORDING, tracks=Tracks.VIDEO),
            ["0.2", "0.2"],
            id="at the first of the media asked for",
        ),
    ],
)
def test_file_zero_lies_where_it_was_asked_for(options: Options, zeros: list[str]) -> None:
    outputs = planned(ANN, BOB, SCREEN, options=options).outputs
    assert [at(output.zero) for output in outputs] == list(ms(*zeros))
    assert all(output.pieces[0].start == output.zero for output in outputs)
    assert all(output.pieces[0].at == 0 for output in outputs)


def test_a_dropped_wait_for_the_recording_s_start_is_no_part_of_the_file() -> None:
    late = user(sound("20 20 15.04"), uid="late")
    early = user(sound("0 0 15.04"))
    options = Options(align=Align.RECORDING, gaps=Gaps.DROP)
    assert pieces(planned(early, late, options=options)) == [
        [ms("0", "15.04", "0")],
        [ms("20", "35.04", "0")],
    ]
    near = user(sound("15 20 15.04"), uid="near")
    assert pieces(planned(early, near, options=options))[1] == [ms("0", "30.04", "0")]


@pytest.mark.parametrize(
    ("tracks", "files"),
    [
        (Tracks.BOTH, [name("_av.mp4"), name(".m4a", "10", "bob"), name("_video.mp4", "20", "ann_screen")]),
        (Tracks.AUDIO, [name(".m4a"), name(".m4a", "10", "bob")]),
        (Tracks.VIDEO, [name("_video.mp4", "0.2"), name("_video.mp4", "20", "ann_screen")]),
    ],
)
def test_files_are_named_for_who_when_and_what(tracks: Tracks, files: list[str]) -> None:
    outputs = planned(ANN, BOB, SCREEN, options=Options(tracks=tracks)).outputs
    assert [output.file for output in outputs] == files


def test_an_output_s_tracks_are_pictures_first() -> None:
    assert [[t.medium for t in o.tracks] for o in planned(ANN, BOB, SCREEN).outputs] == [
        [Medium.VIDEO, Medium.AUDIO],
        [Medium.AUDIO],
        [Medium.VIDEO],
    ]


def test_users_that_fall_together_are_told_apart() -> None:
    people = [user(sound("0 0 15.04"), uid=uid) for uid in ("Ann", "ann", "a/b", "a%2Fb")]
    files = [output.file for output in planned(*people).outputs]
    assert len({file.casefold() for file in files}) == 4
    assert all(file.endswith(".m4a") for file in files)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(Options(by=By.SESSION, align=Align.RECORDING), id="stays with one file zero"),
        pytest.param(
            Options(on_change=OnChange.SPLIT, align=Align.RECORDING), id="shapes with one file zero"
        ),
        pytest.param(Options(by=By.SESSION, name="x"), id="a pattern without fields"),
    ],
)
def test_no_two_files_have_one_name(options: Options) -> None:
    found = user(pictures("0 0 10", "40 40 10 START", "80 80 10 START becomes=4:320x240"))
    joints = {("ann", "camera"): [T0 + time("84")]}
    outputs = planned(found, options=options, joints=joints).outputs
    assert len(outputs) >= 2
    assert len({output.file.casefold() for output in outputs}) == len(outputs)
    assert all(len(output.file) < 60 for output in outputs), "8 digits of a hash tell them apart"


def test_a_pattern_without_fields_still_gives_each_file_a_name() -> None:
    files = [o.file for o in planned(ANN, BOB, SCREEN, options=Options(name="talk", by=By.SESSION)).outputs]
    assert len(set(files)) == 5
    assert all(file.startswith("talk_") for file in files)


def hevc(*parameters: str) -> Track:
    """Pictures of one size whose parameter sets are these, slice by slice."""
    lines = [f"{n * 10} {n * 10} 10" for n in range(len(parameters))]
    found = pictures(*lines)
    slices = [
        replace(s, ends=replace(s.ends, form=Format("hevc", 640, 480, parameters=sets)))
        for s, sets in zip(found.slices, parameters, strict=True)
        if s.ends is not None
    ]
    return replace(found, slices=tuple(slices))


def of_form(track: Track, form: Format) -> Track:
    slices = tuple(
        replace(s, ends=replace(s.ends, form=form)) if s.ends is not None else s for s in track.slices
    )
    return replace(track, slices=slices)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        pytest.param(ANN, "", id="plain H.264 and AAC"),
        pytest.param(user(of_form(pictures("0 0 10"), Format("vp8", 641, 480))), "", id="VP8"),
        pytest.param(user(of_form(pictures("0 0 10"), Format("vp9", 641, 480))), "", id="VP9"),
        pytest.param(
            user(of_form(pictures("0 0 10"), Format("mpeg4", 640, 480))),
            "the pictures are mpeg4: only H.264, HEVC, VP8 and VP9 can be merged",
            id="another codec of pictures",
        ),
        pytest.param(
            user(of_form(sound("0 0 10.24"), Format("mp3", rate=48_000, channels=2))),
            "the sound is mp3: only AAC and Opus can be copied into MP4 yet",
            id="another codec of sound",
        ),
        pytest.param(
            user(of_form(sound("0 0 10.24"), Format("aac", rate=48_000, channels=6))),
            "the sound has 6 channels: only mono and stereo can be merged yet",
            id="surround sound",
        ),
        pytest.param(
            user(sound("0 0 10.24", "10.24 10.24 10.24 rate=44100")),
            "",
            id="a sampling rate that changes",
        ),
    ],
)
def test_what_cannot_be_copied_is_refused_with_the_reason(found: User, sentence: str) -> None:
    (output,) = planned(found).outputs
    assert output.refusal == sentence


def test_parameter_sets_that_change_without_the_size_are_copied_and_noted() -> None:
    first, second = pictures("0 0 10", "10 10 10").slices
    assert second.ends is not None
    rejoined = replace(second, ends=replace(second.ends, form=Format("h264", 640, 480, parameters="new")))
    (output,) = planned(user(Track("ann", "camera", Medium.VIDEO, (first, rejoined)))).outputs
    assert output.refusal == ""
    assert "keep parameter sets before each key frame" in [decision.what for decision in output.decisions]


def shaped(*forms: Format) -> User:
    """A user with pictures of these forms, ten seconds each."""
    found = pictures(*(f"{n * 10} {n * 10} 10" for n in range(len(forms))))
    slices = [
        replace(s, ends=replace(s.ends, form=form))
        for s, form in zip(found.slices, forms, strict=True)
        if s.ends is not None
    ]
    return user(replace(found, slices=tuple(slices)))


SMALL_WEB, WEB, NATIVE = Format("vp8", 320, 180), Format("vp8", 640, 360), Format("h264", 640, 360)
VP9 = Format("vp9", 640, 360)


@pytest.mark.parametrize(
    ("forms", "on_change", "shape", "odd_ones", "told"),
    [
        pytest.param(
            (WEB,),
            OnChange.FIT,
            "h264 640x360",
            ["vp8 640x360"],
            ["re-encode 0:10.000 of vp8 640x360 into h264 640x360 (MP4 holds no VP8)"],
            id="VP8 alone",
        ),
        pytest.param(
            (SMALL_WEB, WEB, WEB),
            OnChange.FIT,
            "h264 640x360",
            ["vp8 320x180", "vp8 640x360"],
            ["re-encode 0:30.000 of vp8 320x180, vp8 640x360 into h264 640x360 (MP4 holds no VP8)"],
            id="VP8 of two sizes goes into the one shown longer",
        ),
        pytest.param(
            (NATIVE, WEB, WEB),
            OnChange.FIT,
            "h264 640x360",
            ["vp8 640x360"],
            [
                "copy h264 640x360 (MP4 holds it as it is)",
                "re-encode 0:20.000 of vp8 640x360 into h264 640x360 (MP4 holds no VP8)",
            ],
            id="VP8 goes into H.264 of its size, which is copied",
        ),
        pytest.param(
            (NATIVE, WEB),
            OnChange.COPY,
            "h264 640x360",
            ["vp8 640x360"],
            [
                "copy h264 640x360 (MP4 holds it as it is)",
                "re-encode 0:10.000 of vp8 640x360 into h264 640x360 (MP4 holds no VP8)",
            ],
            id="VP8 is re-encoded whatever was asked for",
        ),
        pytest.param(
            (VP9, VP9),
            OnChange.FIT,
            "vp9 640x360",
            [],
            ["copy vp9 640x360 (MP4 holds it as it is)"],
            id="VP9 is copied",
        ),
        pytest.param(
            (VP9, NATIVE, NATIVE),
            OnChange.FIT,
            "h264 640x360",
            ["vp9 640x360"],
            [
                "copy h264 640x360 (MP4 holds it as it is)",
                (
                    "re-encode 0:10.000 of vp9 640x360 into h264 640x360 "
                    "(a track shows one size and rotation (--on-change fit))"
                ),
            ],
            id="one track has one codec",
        ),
    ],
)
def test_pictures_of_web_senders(
    forms: tuple[Format, ...], on_change: OnChange, shape: str, odd_ones: list[str], told: list[str]
) -> None:
    (output,) = planned(shaped(*forms), options=Options(on_change=on_change)).outputs
    assert output.refusal == ""
    assert str(output.shape) == shape
    assert [str(stretch.shape) for stretch in output.odd] == odd_ones
    assert [f"{d.what} ({d.why})" for d in output.decisions if d.what.startswith(("copy", "re-"))] == told


TWO_CODECS = (
    "the pictures change from h264 to hevc, which one track cannot hold as they are: "
    "use --on-change fit or split"
)
LYING = "h264 640x480, h264 640x480 turned by 90 degrees"
CHANGING = "0 0 10", "10 10 20 size=1280x720", "30 30 5 turn=90"
FITS = "a track shows one size and rotation (--on-change fit)"
STOPS = "some players stop, stretch or lie on their side there (--on-change copy)"


@pytest.mark.parametrize(
    ("lines", "on_change", "shape", "odd", "decision"),
    [
        pytest.param(("0 0 10", "10 10 10"), OnChange.FIT, "h264 640x480", [], None, id="nothing changes"),
        pytest.param(
            CHANGING,
            OnChange.FIT,
            "h264 1280x720",
            ["0.000-10000.000", "30000.000-35000.000"],
            (
                f"re-encode 0:15.000 of {LYING} into h264 1280x720",
                FITS,
            ),
            id="the shape shown longest is kept",
        ),
        pytest.param(
            ("0 0 10 turns=4:90,7:0",),
            OnChange.FIT,
            "h264 640x480",
            ["4000.000-7000.000"],
            ("re-encode 0:03.000 of h264 640x480 turned by 90 degrees into h264 640x480", FITS),
            id="turned inside of a slice",
        ),
        pytest.param(
            ("0 0 10 becomes=2:1280x720",),
            OnChange.FIT,
            "h264 1280x720",
            ["0.000-2000.000"],
            ("re-encode 0:02.000 of h264 640x480 into h264 1280x720", FITS),
            id="another size inside of a slice",
        ),
        pytest.param(
            ("0 0 10", "10 10 10 size=1280x720"),
            OnChange.FIT,
            "h264 1280x720",
            ["0.000-10000.000"],
            ("re-encode 0:10.000 of h264 640x480 into h264 1280x720", FITS),
            id="of two shown as long the larger is kept",
        ),
        pytest.param(
            CHANGING,
            OnChange.COPY,
            "h264 1280x720",
            [],
            (
                f"keep 0:15.000 of {LYING} as they are in a track of h264 1280x720",
                STOPS,
            ),
            id="everything is copied",
        ),
    ],
)
def test_a_track_has_one_shape_and_the_plan_says_what_becomes_of_others(
    lines: tuple[str, ...], on_change: OnChange, shape: str, odd: list[str], decision: tuple[str, str] | None
) -> None:
    found = user(pictures(*lines))
    (output,) = planned(found, options=Options(on_change=on_change)).outputs
    assert output.refusal == ""
    assert str(output.shape) == shape
    assert [f"{at(s.start)}-{at(s.end)}" for s in output.odd] == odd
    told = [(d.what, d.why) for d in output.decisions if d.what.startswith(("re-encode", "keep 0:"))]
    assert told == [decision] * (decision is not None)


def test_splitting_makes_a_file_of_each_stretch_of_one_shape() -> None:
    found = user(sound("0 0 40.96"), pictures(*CHANGING, "35 35 5"))
    joints = {("ann", "camera"): [T0 + time(seconds) for seconds in ("10", "30", "35")]}
    outputs = planned(found, options=Options(on_change=OnChange.SPLIT), joints=joints).outputs
    assert [str(output.shape) for output in outputs] == [
        "h264 640x480",
        "h264 1280x720",
        "h264 640x480 turned by 90 degrees",
        "h264 640x480",
    ]
    assert [(at(o.pieces[0].start), at(o.pieces[0].end)) for o in outputs] == [
        ("0.000", "10000.000"),
        ("10000.000", "30000.000"),
        ("30000.000", "35000.000"),
        ("35000.000", "40960.000"),
    ]
    assert len({output.file for output in outputs}) == len(outputs)
    assert not any(output.odd or output.refusal for output in outputs)


@pytest.mark.parametrize(
    ("on_change", "sentence"),
    [
        (OnChange.FIT, ""),
        (OnChange.SPLIT, ""),
        (
            OnChange.COPY,
            TWO_CODECS,
        ),
    ],
)
def test_two_codecs_are_no_track_by_copy(on_change: OnChange, sentence: str) -> None:
    first, second = pictures("0 0 10", "10 10 8").slices
    assert second.ends is not None
    other = replace(second, ends=replace(second.ends, form=Format("hevc", 640, 480, parameters="h")))
    found = user(Track("ann", "camera", Medium.VIDEO, (first, other)))
    assert planned(found, options=Options(on_change=on_change)).outputs[0].refusal == sentence


def test_nothing_is_encoded_into_an_odd_size() -> None:
    (output,) = planned(user(pictures("0 0 10 size=641x480", "10 10 5"))).outputs
    expected = "nothing can be re-encoded into the odd size of h264 641x480: use --on-change split"
    assert output.refusal == expected


@pytest.mark.parametrize(("sets", "in_band"), [(("a", "a"), False), (("a", "b"), True)])
def test_hevc_keeps_its_parameter_sets_in_band_where_they_change(
    sets: tuple[str, str], *, in_band: bool
) -> None:
    (output,) = planned(user(hevc(*sets))).outputs
    assert (output.refusal, output.in_band) == ("", in_band)


def test_only_what_goes_in_can_be_refused() -> None:
    found = user(sound("0 0 10.24"), of_form(pictures("0 0 10"), Format("mpeg4", 640, 480)))
    (output,) = planned(found, options=Options(tracks=Tracks.AUDIO)).outputs
    assert output.refusal == ""


def decisions_of(found: User, options: Options | None = None) -> list[tuple[str, str]]:
    (output,) = planned(found, options=options).outputs
    return [(decision.what, decision.why) for decision in output.decisions]


COPIED = [("copy h264 640x480", "MP4 holds it as it is"), ("copy aac 48000 Hz mono", "MP4 holds it as it is")]
ONE_CLOCK = ("place sound and picture by PTS", "sound and picture run on one clock")


@pytest.mark.parametrize(
    ("found", "options", "expected"),
    [
        pytest.param(
            user(sound("0 0 10.24"), pictures("0 0 10")),
            Options(),
            [*COPIED, ONE_CLOCK],
            id="nothing but copying",
        ),
        pytest.param(
            user(sound("0 0 10.24"), pictures("0 500 10")),
            Options(),
            [
                *COPIED,
                ("place sound and picture each by its own stamps", "they have no clock in common"),
            ],
            id="two clocks",
        ),
        pytest.param(
            user(sound("0 0 10.24"), pictures("0.2 0.2 10")),
            Options(),
            [*COPIED, ONE_CLOCK, ("empty edit for 0:00.200 from file zero", "the picture begins later")],
            id="a late picture",
        ),
        pytest.param(
            user(sound("4 4 10.24"), pictures("0 0 10")),
            Options(),
            [*COPIED, ONE_CLOCK, ("silence for 0:04.000 from file zero", "the sound begins later")],
            id="late sound",
        ),
        pytest.param(
            ANN,
            Options(gaps=Gaps.DROP),
            [
                *COPIED,
                ONE_CLOCK,
                ("empty edit for 0:00.200 from file zero", "the picture begins later"),
                ("the last picture held in 1 gap of 1:30.000 in all", "muted, off or away (--gaps drop)"),
                ("silence in 2 gaps of 0:59.840 in all", "muted, off or away (--gaps drop)"),
                ("drop the time between 3 sessions", "--gaps drop"),
            ],
            id="gaps that are dropped",
        ),
        pytest.param(
            user(sound("0 0 10.24", "10.2 10.2 10.24 START")),
            Options(),
            [COPIED[1], ("move audio by 40 ms", "it overlaps the run before it")],
            id="an overlap",
        ),
    ],
)
def test_decisions_are_told_with_their_reasons(
    found: User, options: Options, expected: list[tuple[str, str]]
) -> None:
    assert decisions_of(found, options) == expected


def test_the_rotation_of_all_pictures_is_the_file_s() -> None:
    (output,) = planned(user(pictures("0 0 10 turn=270", "10 10 10 turn=270"))).outputs
    assert output.shape == Shape("h264", 640, 480, 270)


def test_the_ledger_is_in_order_of_time_and_only_of_the_media_asked_for() -> None:
    found = user(
        sound("0 0 10.24", "10.24 0 10.24 missing", "20.48 20.48 10.24"),
        pictures("0 0 10", "5 5 10 empty", "30 30 10"),
    )
    notes = (Entry(Sort.NOTE, "a note"), Entry(Sort.NOTE, "at the end", start_ms=T0_MS + 10**6))
    whats = [entry.what for entry in planned(found, notes=notes).ledger]
    assert whats == [
        "a note",
        "slice v1.ts has 0 bytes; left out",
        "no picture (1 slice empty); filled with the last picture held",
        "no sound (1 slice missing); filled with silence",
        "slice a1.ts is listed by its playlist and is not there; left out",
        "at the end",
    ]
    sound_only = planned(found, options=Options(tracks=Tracks.AUDIO)).ledger
    assert [entry.track for entry in sound_only] == ["audio", "audio"]


def test_a_user_without_the_media_asked_for_has_no_output_and_no_harm() -> None:
    assert planned(BOB, options=Options(tracks=Tracks.VIDEO)).outputs == ()
    assert planned().outputs == ()
    assert planned(user(sound("0 0 10.24 missing"))).outputs == ()


@pytest.mark.parametrize(
    ("found", "options", "files"),
    [
        pytest.param(
            ANN,
            Options(by=By.SESSION, tracks=Tracks.VIDEO),
            [name("_video.mp4", "0.2"), name("_video.mp4", "120")],
            id="a stay without pictures",
        ),
        pytest.param(
            user(sound("0 0 15.04", "60 60 15.04 missing", "120 120 15.04 START")),
            Options(by=By.SESSION),
            [name(".m4a"), name(".m4a", "120")],
            id="a stay whose slices are all lost",
        ),
        pytest.param(
            user(sound("0 0 15.04", "60 60 15.04 missing")),
            Options(by=By.SESSION),
            [name(".m4a")],
            id="a last stay whose slices are all lost",
        ),
    ],
)
def test_a_stay_without_media_has_no_output(found: User, options: Options, files: list[str]) -> None:
    assert [output.file for output in planned(found, options=options).outputs] == files


def test_a_cut_that_leaves_only_lost_slices_leaves_no_output() -> None:
    found = user(sound("0 0 15.04", "15.04 0 15.04 missing", "30.08 30.08 15.04"))
    cut = Cut(T0 + time("16"), T0 + time("29"))
    assert planned(found, cuts={("ann", "camera"): cut}).outputs == ()


def test_an_estimate_counts_what_is_encoded() -> None:
    found = user(pictures("0 0 600", "600 600 60 size=320x240"))
    fitted, split = (
        planned(found, options=Options(on_change=on_change)).outputs[0].estimate
        for on_change in (OnChange.FIT, OnChange.COPY)
    )
    pixels = 60 * 15 * 640 * 480
    assert fitted.seconds == pytest.approx(split.seconds + pixels / PIXELS_A_SECOND, abs=0.1)


def test_an_estimate_grows_with_the_slices_and_counts_a_shared_one_once() -> None:
    (small,) = planned(user(sound("0 0 10.24"))).outputs
    (large,) = planned(user(sound(*steady(100, "10.24")))).outputs
    assert small.estimate.size == 18_800
    assert large.estimate.size == 1_880_000
    assert large.estimate.memory - small.estimate.memory == 99 * 480 * 100
    shared = piece("0 0 10", Medium.VIDEO)
    both = user(
        Track("ann", "camera", Medium.AUDIO, (replace(piece("0 0 10.24", Medium.AUDIO), key=shared.key),)),
        Track("ann", "camera", Medium.VIDEO, (shared,)),
    )
    assert planned(both).outputs[0].estimate.size == 18_800


@pytest.mark.parametrize(
    ("found", "end"),
    [
        pytest.param(user(sound("0 0 20.48"), pictures("0.2 0.2 10")), "10.2", id="before the sound"),
        pytest.param(user(sound("0 0 5.12"), pictures("0.2 0.2 10")), "10.2", id="with the file"),
        pytest.param(BOB, "0", id="without pictures"),
    ],
)
def test_pictures_end_in_the_file(found: User, end: str) -> None:
    (output,) = planned(found).outputs
    assert output.picture_end == time(end)


def test_pictures_that_end_before_the_last_piece_end_where_it_begins() -> None:
    found = user(sound("0 0 10.24", "60 60 10.24 START"), pictures("0 0 10"))
    (output,) = planned(found, options=Options(gaps=Gaps.DROP)).outputs
    assert output.pieces[-1] == Piece(T0 + time("60"), T0 + time("70.24"), time("10.24"))
    assert output.picture_end == time("10.24")
    assert output.duration == time("20.48")


@patient
@given(
    holes=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    gaps=st.sampled_from(Gaps),
    by=st.sampled_from(By),
    align=st.sampled_from(Align),
)
def test_pieces_are_in_order_touch_in_the_file_and_hold_every_session(
    holes: list[int], gaps: Gaps, by: By, align: Align
) -> None:
    lines, now = [], 0
    for hole in holes:
        lines.append(f"{now} {now} 10.24 START")
        now += 11 + hole
    found = user(sound(*lines))
    outputs = planned(found, BOB, options=Options(gaps=gaps, by=by, align=align)).outputs
    times = arrange(found)
    assert times is not None
    mine = [output for output in outputs if output.uid == "ann"]
    assert len(mine) == (len(times.sessions) if by is By.SESSION else 1)
    for output in mine:
        at_file = 0
        for one in output.pieces:
            assert one.at == at_file
            assert one.end > one.start
            at_file = one.file_end
        assert output.duration == at_file
    held = [one for output in mine for one in output.pieces]
    for start, end in times.sessions:
        assert any(one.start <= start and end <= one.end for one in held)


class Numbering:
    """A naming that only counts, and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[Facts] = []

    def __call__(self, files: Sequence[Facts]) -> list[str]:
        self.told = list(files)
        return [f"{number}.mp4" for number, _ in enumerate(files)]


def test_a_naming_is_told_of_every_output_and_takes_the_place_of_the_pattern() -> None:
    naming, wanted = Numbering(), Options(name="vendor:{what no pattern of ours has}")
    found = planned(ANN, SCREEN, BOB, options=wanted, naming=naming)
    assert [output.file for output in found.outputs] == ["0.mp4", "1.mp4", "2.mp4"]
    assert found.options == wanted
    assert naming.told == [
        Facts("ann", "camera", T0_MS, 150_200),
        Facts("ann", "screen", T0_MS + 20_000, 30_000),
        Facts("bob", "camera", T0_MS + 10_000, 60_160, pictures=False),
    ]


def test_a_naming_is_told_what_will_not_be_made_and_what_is_of_all_users() -> None:
    naming = Numbering()
    planned(ANN, options=Options(container=Container.WEBM), naming=naming)
    assert [facts.refused for facts in naming.told] == [True]
    planned(ANN, BOB, options=Options(mix=True, container=Container.MP3, name="vendor:{x}"), naming=naming)
    assert [(facts.uid, facts.container) for facts in naming.told] == [("", Container.MP3)]
