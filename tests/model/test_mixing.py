"""What is planned where sound is encoded: the mix of all users, MP3, a loudness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import CommandError
from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.options import By, Gaps, Options, Tracks
from pipeline.model.plan import OutputPlan, Plan, plan
from pipeline.model.slices import Medium, Recording, User
from pipeline.model.stamps import stamp17
from pipeline.model.timeline import arrange
from tests.model.slicing import T0, T0_MS, pictures, sound, steady, time, user

ANN = user(sound("0 0 30.08", "60 60 30.08 START", "120 120 30.08 START"), pictures("0.2 0.2 30"))
"""Three stays of half a minute."""
BOB = user(sound(*steady(4, "15.04", "10", pts="1000")), uid="bob")
SCREEN = user(pictures(*steady(2, "15", "20", pts="7")), source="screen")
MIX = Options(mix=True)


def with_channels(channels: int, of: User) -> User:
    heard = of.audio
    assert heard is not None
    slices = [
        replace(s, ends=replace(s.ends, form=replace(s.ends.form, channels=channels)))
        for s in heard.slices
        if s.ends is not None
    ]
    return replace(of, audio=replace(heard, slices=tuple(slices)))


def planned(*users: User, options: Options = MIX) -> Plan:
    times = [t for u in users if (t := arrange(u)) is not None]
    return plan(Recording("agora", "", "sid_room", users), times, options)


def mix_of(*users: User, options: Options = MIX) -> OutputPlan:
    (output,) = planned(*users, options=options).outputs
    return output


def ends(output: OutputPlan) -> list[tuple[float, float]]:
    """UTC seconds after T0 of each piece of the file."""
    return [((p.start - T0) / ticks.TICKS, (p.end - T0) / ticks.TICKS) for p in output.pieces]


def test_all_users_become_one_file_from_the_first_sound_to_the_last() -> None:
    output = mix_of(BOB, ANN, SCREEN)
    assert output.file == f"sid_room_{stamp17(T0_MS)}_mix.m4a"
    assert (output.uid, output.source, output.video, output.audio) == ("mix", "mix", None, None)
    assert [(s.uid, s.source) for s in output.speakers] == [("bob", "camera"), ("ann", "camera")]
    assert ends(output) == [(0, 150.08)]
    assert output.zero == T0
    assert {track.medium for track in output.tracks} == {Medium.AUDIO}
    assert [d.what for d in output.decisions] == [
        "mix the sound of 2 users (bob, ann)",
        "encode aac 48000 Hz mono at 96 kb/s",
        "limit peaks to -1 dBTP",
    ]


def test_dropped_is_only_the_time_in_which_nobody_is_there() -> None:
    output = mix_of(ANN, BOB, options=replace(MIX, gaps=Gaps.DROP))
    assert ends(output) == [(0, 90.08), (120, 150.08)]
    assert [p.at for p in output.pieces] == [0, time("90.08")]
    assert output.decisions[1].what == "drop the time between 2 sessions"


def test_the_ledger_is_that_of_the_users() -> None:
    alone = planned(ANN, BOB, options=Options(tracks=Tracks.AUDIO)).ledger
    assert planned(ANN, BOB).ledger == alone
    assert alone


def test_one_in_stereo_makes_the_mix_stereo() -> None:
    output = mix_of(ANN, with_channels(2, BOB), options=replace(MIX, container=Container.MP3))
    assert (output.channels, output.bit_rate) == (2, 160_000)
    assert output.file.endswith("_mix.mp3")
    assert output.decisions[1].what == "encode mp3 48000 Hz stereo at 160 kb/s"
    assert output.estimate.size == pytest.approx(150.08 * 20_000, rel=0.01)


def test_who_cannot_be_decoded_is_refused_and_the_others_are_mixed() -> None:
    one, other = planned(ANN, with_channels(6, BOB)).outputs
    assert [s.uid for s in one.speakers] == ["ann"]
    assert not one.refusal
    assert (other.uid, other.speakers) == ("bob", ())
    assert other.refusal.startswith("the sound has 6 channels")


def test_where_nobody_can_be_decoded_there_is_no_mix() -> None:
    assert [o.uid for o in planned(with_channels(6, BOB)).outputs] == ["bob"]
    assert planned(SCREEN).outputs == ()


def test_a_pattern_names_the_mix_too() -> None:
    output = mix_of(ANN, options=replace(MIX, name="{utc}-{uid}{kind}"))
    assert output.file == f"{stamp17(T0_MS)}-mix_mix.m4a"


def test_a_loudness_is_measured_first_so_everything_is_read_twice() -> None:
    plain, loud = mix_of(ANN, BOB), mix_of(ANN, BOB, options=replace(MIX, loudness=-16))
    assert (plain.loudness, loud.loudness) == (None, -16)
    assert loud.reads == 2 * plain.reads > 0
    assert loud.estimate.seconds > plain.estimate.seconds
    assert loud.decisions[-1].what == "bring it to -16 LUFS"


@pytest.mark.parametrize(
    ("options", "what", "why"),
    [
        (Options(container=Container.MP3), "encode mp3 48000 Hz mono at 96 kb/s", "MP3 holds nothing else"),
        (
            Options(container=Container.M4A, loudness=-23),
            "encode aac 48000 Hz mono at 96 kb/s",
            "--loudness changes every sample",
        ),
    ],
    ids=["mp3", "loudness"],
)
def test_sound_of_one_user_is_encoded_where_it_cannot_be_copied(
    options: Options, what: str, why: str
) -> None:
    for output in planned(ANN, BOB, options=options).outputs:
        assert [s.uid for s in output.speakers] == [output.uid]
        assert (what, why) in [(d.what, d.why) for d in output.decisions]
        assert not any(d.what.startswith("copy") for d in output.decisions)


def test_sound_that_is_copied_has_no_speakers() -> None:
    assert [o.speakers for o in planned(ANN, BOB, options=Options()).outputs] == [(), ()]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"mix": True, "container": Container.MKV}, "--mix makes AAC or MP3: use --container m4a or mp3."),
        ({"mix": True, "by": By.SESSION}, "--mix is one file for all: leave --by session out."),
        ({"mix": True, "tracks": Tracks.VIDEO}, "--mix has no pictures: leave --tracks video out."),
        ({"loudness": -16}, "--loudness is for files of sound: add --tracks audio or --mix."),
        ({"loudness": -3, "mix": True}, "--loudness is -40 to -8 LUFS, such as -16."),
        (
            {"loudness": -16, "tracks": Tracks.AUDIO, "container": Container.WEBM},
            "--loudness makes AAC or MP3: use --container m4a or mp3.",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(CommandError) as caught:
        Options(**values)  # type: ignore[arg-type]
    assert str(caught.value) == sentence
