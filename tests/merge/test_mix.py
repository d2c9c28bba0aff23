"""Sound that is encoded: MP3, the mix of all users, loudness. What is heard, by whom, when and how loud."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

import av
import imageio_ffmpeg
import numpy as np
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.job.look import plan_all
from pipeline.media.mix.limiter import CEILING
from pipeline.media.mix.sound import encode_sound
from pipeline.media.reopen_sound import decode_sound
from pipeline.model.containers import Container
from pipeline.model.options import Gaps, Moment, Options, Verify
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from pipeline.steps.recheck import recheck
from pipeline.steps.verify import verify
from tests import truth
from tests.merge.merging import TICKS_A_SECOND, Merged, beeps_ms, merge, utc_ms
from tests.merge.tones import RATE, onsets, samples
from tests.merge.web_sound import WebSound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from pipeline.demo.made import Made
    from pipeline.model.manifest import Output
    from tests.merge.conftest import Merging

NEAR_MS = 10
CALL = """
vendor = "trtc"
start = 2026-03-02T09:00:00.250Z

[[users]]
uid = "ann"
sound = [[0.0, 8.2], [18.1, 23.0]]

[[users]]
uid = "ben"
sound = [[2.4, 4.6], [7.0, 12.0]]

[[users]]
uid = "eve"
rate = 44100
channels = 2
sound = [[3.3, 6.4]]
"""
SILENT_MS = (12_000, 18_100)  # since the recording's start
MIX = Options(mix=True)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Three people who come and go, one of them in stereo at another rate."""
    return make(parse(CALL), tmp_path_factory.mktemp("mix") / "in")


@pytest.fixture(scope="module")
def mix(call: Made, tmp_path_factory: pytest.TempPathFactory) -> Merged:
    return merge(call, tmp_path_factory.mktemp("mix") / "out", MIX)


def assert_everybody_is_heard(result: Merged, output: Output, made: Made) -> None:
    sound = samples(result.file(output))[0]
    for user in made.users:
        found = [(utc_ms(output, at * TICKS_A_SECOND), strong) for at, strong in onsets(sound, user)]
        assert [round(at / 1000) * 1000 for at, _ in found] == beeps_ms(made, user)
        assert max(abs(at - round(at / 1000) * 1000) for at, _ in found) <= NEAR_MS


def test_everybody_is_heard_at_his_time_and_nobody_else(call: Made, mix: Merged) -> None:
    output = mix.only
    assert output.verdict.good, output.verdict.problems
    assert mix.code is ExitCode.GOOD
    assert re.fullmatch(r"\d+_\w+_20260302090000250_mix\.m4a", output.file)
    assert_everybody_is_heard(mix, output, call)
    truth.decodes_silently(mix.file(output))


def test_who_is_not_there_is_not_heard_and_where_nobody_is_there_is_silence(mix: Merged) -> None:
    begin, end = (round((ms + sign * 60) * RATE / 1000) for ms, sign in zip(SILENT_MS, (1, -1), strict=True))
    sound = samples(mix.file(mix.only))
    assert np.abs(sound[:, begin:end]).max() < 1e-4
    edges_ms = [edge / 90 for span in mix.only.tracks[0].spans for edge in (span.at, span.until)]
    assert edges_ms == pytest.approx([0, SILENT_MS[0], SILENT_MS[1], 23_000], abs=25)


def test_levels_do_not_jump_as_people_come_and_go(call: Made, mix: Merged) -> None:
    """Dividing by the number of inputs would cost 6 dB where two speak, and 9.5 where three do."""
    sound = samples(mix.file(mix.only))[0]
    strong = [each for user in call.users for _, each in onsets(sound, user)]
    assert min(strong) > 0.48 * CEILING / (3 * 0.49)  # three beeps at once are more than full scale
    alone = [each for at, each in onsets(sound, call.users[0]) if not 2.2 < at < 8.2]
    assert np.ptp(20 * np.log10(alone)) < 0.5
    two = [each for at, each in onsets(sound, call.users[0]) if 2.2 < at < 3.2 or 7 < at < 8.2]
    assert abs(20 * np.log10(np.mean(two) / np.mean(alone))) < 1.5


def test_no_sum_is_above_the_ceiling(mix: Merged) -> None:
    assert np.abs(samples(mix.file(mix.only))).max() < CEILING + 0.06  # what AAC adds


def test_the_manifest_accounts_for_every_packet(call: Made, mix: Merged) -> None:
    (track,) = mix.only.tracks
    assert track.transcoded is not None
    aac = 1024 / 48_000, 1024 / 48_000, 1024 / 44_100
    lengths = [sum(b - a for a, b in user.sound) / TICKS_A_SECOND for user in call.users]
    sent = sum(length / each for length, each in zip(lengths, aac, strict=True))
    assert track.packets_in == track.transcoded.packets == pytest.approx(sent, abs=6)
    assert (track.packets_out, track.inserted, track.dropped, track.channels) == (0, 0, (), 2)
    assert [d.what for d in mix.only.decisions][:2] == [
        "mix the sound of 3 users (ann, ben, eve)",
        "encode aac 48000 Hz stereo at 160 kb/s",
    ]


def test_the_same_bytes_again_and_with_more_jobs(call: Made, mix: Merged, tmp_path: Path) -> None:
    again = merge(call, tmp_path / "out", MIX, Limits(jobs=2))
    assert again.only.sha256 == mix.only.sha256
    assert merge(call, tmp_path / "out", MIX).manifest == again.manifest
    assert recheck(tmp_path / "out", Verify.FULL).good


def test_dropping_absences_leaves_out_the_time_in_which_nobody_is_there(merged: Merging) -> None:
    result = merged("mute-and-rejoin", replace(MIX, gaps=Gaps.DROP))
    output = result.only
    assert len(output.map) == 2
    assert output.verdict.good, output.verdict.problems
    assert_everybody_is_heard(result, output, result.made)


@pytest.mark.parametrize("name", ["clock-fast-short", "web-native-switch"])
def test_clocks_and_codings_do_not_matter(name: str, merged: Merging, tmp_path: Path) -> None:
    if name == "clock-fast-short":
        text = (
            'vendor = "trtc"\nstart = 2026-03-02T09:00:00.250Z\nslice_seconds = 5\n[[users]]\nuid = "a"\n'
            "sampled = 48019\nsound = [[0.0, 60.0]]"
        )
        result = merge(make(parse(text), tmp_path / "in"), tmp_path / "out", MIX)
        assert result.only.tracks[0].clocks[0].slope_ppb == pytest.approx(-396_000, abs=40_000)
    else:
        result = merged(name, MIX)
    assert_everybody_is_heard(result, result.only, result.made)


def test_losses_of_the_inputs_are_losses_of_the_mix(merged: Merging) -> None:
    result, one = merged("html-slice", MIX), merged("html-slice")
    assert result.code is ExitCode.LOSSES
    lost = {(e.uid, e.key) for e in one.manifest.losses if e.track == "audio"}
    assert {(e.uid, e.key) for e in result.manifest.losses} == lost
    assert_everybody_is_heard(result, result.only, result.made)


def test_a_cut_of_the_mix_has_the_time_asked_for(call: Made, tmp_path: Path) -> None:
    options = replace(MIX, start=Moment.parse("3"), end=Moment.parse("7.5"))
    result = merge(call, tmp_path / "out", options)
    output = result.only
    assert output.utc_zero_ms == call.scenario.start_ms + 3000
    assert output.duration == pytest.approx(4.5 * TICKS_A_SECOND, abs=2)
    sound = samples(result.file(output))[0]
    inside = [at for at in beeps_ms(call, call.users[0]) if 3000 <= at - call.scenario.start_ms < 7500]
    found = [utc_ms(output, at * TICKS_A_SECOND) for at, _ in onsets(sound, call.users[0])]
    assert [round(at / 1000) * 1000 for at in found] == inside


def test_only_who_sounds_is_open(call: Made, tmp_path: Path) -> None:
    (planned,) = plan_all(Folder(call.place), MIX)[1]
    (output,) = planned.plan.outputs
    begun: list[tuple[str, int]] = []
    read = 0

    def opened(key: str) -> BinaryIO:
        begun.append((key, read))
        return Folder(call.place).open(key)

    def progress(count: int) -> None:
        nonlocal read
        read += count

    with (tmp_path / "mix.m4a").open("w+b") as sink:
        encode_sound(output, opened, sink, progress, hashing=True)
    assert read > 0
    firsts: dict[str, int] = {}
    for key, before in begun:
        firsts.setdefault(key.partition("UserId_s_")[2].partition("_")[0], before)
    assert len(firsts) == 3
    first, second, _ = sorted(firsts.values())
    assert first == 0
    assert second > 0, "the second came when the first had been heard for a while"


in_mp3 = pytest.mark.parametrize("name", ["audio-only", "mute-and-rejoin", "stereo-44100", "late-sound"])


@in_mp3
def test_mp3_begins_exactly_lasts_exactly_and_beeps_in_time(
    name: str, merged: Merging, tmp_path: Path
) -> None:
    result = merged(name, Options(container=Container.MP3))
    for output in result.outputs:
        path, user = result.file(output), result.sender(output)
        assert path.suffix == ".mp3"
        assert output.verdict.good, output.verdict.problems
        heard = [utc_ms(output, at * TICKS_A_SECOND) for at in truth.beeps_by_count(path, tmp_path)]
        assert [round(at / 1000) * 1000 for at in heard] == beeps_ms(result.made, user)
        assert max(abs(at - round(at / 1000) * 1000) for at in heard) <= 1
        assert samples(path).shape[1] == pytest.approx(output.duration * RATE / TICKS_A_SECOND, abs=1)
        truth.decodes_silently(path)
        with av.open(str(path)) as container:
            assert container.metadata["title"] == output.uid
            assert container.metadata["date"].startswith("2026-03-02T09:00:0")


def test_opus_becomes_mp3(tmp_path: Path) -> None:
    sound = WebSound(((0, 4_000), (6_100, 9_000)), channels=2)
    sound.record(tmp_path / "in")
    made = cast("Made", type("Place", (), {"place": tmp_path / "in"}))
    result = merge(made, tmp_path / "out", Options(container=Container.MP3))
    heard = truth.beeps_by_count(result.file(result.only), tmp_path)
    at = [utc_ms(result.only, seconds * TICKS_A_SECOND) for seconds in heard]
    assert [round(ms / 1000) * 1000 for ms in at] == sound.beeps_ms
    assert max(abs(ms - round(ms / 1000) * 1000) for ms in at) <= 1


def _replaced(path: Path, sound: npt.NDArray[np.float32]) -> None:
    """An MP3 in place of another."""
    with av.open(str(path)) as old:
        title, date = old.metadata["title"], old.metadata["date"]
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        container.metadata["title"], container.metadata["date"] = title, date
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        for begin in range(0, sound.shape[1], 1152):
            part = np.ascontiguousarray(sound[:, begin : begin + 1152])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, begin
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _silent(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.zeros_like(sound)


def _second_stay_early(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.concatenate([sound[:, : 36 * RATE], sound[:, 37 * RATE :], sound[:, :RATE]], axis=1)


def _cut_short(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return sound[:, : -RATE // 10]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_silent, r"sound from 0:00\.000 on has -120\.0 dB instead of -2\d\.\d"),
        (_second_stay_early, r"there is sound before 0:37\.000, where nobody is heard"),
        (_cut_short, r"it decodes to 0:44\.9\d\d instead of 0:45\.000"),
    ],
)
def test_sound_that_is_not_what_was_encoded_is_found(
    spoil: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]],
    problem: str,
    made: Callable[[str], Made],
    tmp_path: Path,
) -> None:
    result = merge(made("mute-and-rejoin"), tmp_path / "out", Options(container=Container.MP3))
    output, path = result.only, result.file(result.only)
    _replaced(path, spoil(samples(path)))
    (track,) = output.tracks
    assert track.transcoded is not None
    with av.open(str(path)) as container:
        frames = sum(bool(packet.size) for packet in container.demux())
    told = replace(track, payload_sha256="", transcoded=replace(track.transcoded, frames=frames))
    lasts = round(samples(path).shape[1] * TICKS_A_SECOND / RATE)
    facts_agree = replace(output, size=0, sha256="", tracks=(replace(told, end=lasts),))
    assert verify(path, facts_agree, Verify.FAST)[0].good, "only decoding can tell"
    _, said = decode_sound(path, told)
    assert any(re.fullmatch(problem, each) for each in said), said


def ebur128(path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak by FFmpeg."""
    arguments = ["-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), *arguments], capture_output=True, text=True, check=True
    )
    summary = done.stderr.rpartition("Summary:")[2]
    loudness = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert loudness
    assert peak
    return float(loudness[1]), float(peak[1])


@pytest.mark.parametrize(
    ("lufs", "container"), [(-16, Container.M4A), (-16, Container.MP3), (-23, Container.MP3)]
)
def test_loudness_is_what_was_asked_for(lufs: int, container: Container, call: Made, tmp_path: Path) -> None:
    result = merge(call, tmp_path / "out", Options(mix=True, container=container, loudness=lufs))
    output = result.only
    assert output.verdict.good, output.verdict.problems
    loudness, peak = ebur128(result.file(output))
    assert loudness == pytest.approx(lufs, abs=0.5)
    assert peak < -0.3
    assert_everybody_is_heard(result, output, call)
    (track,) = output.tracks
    assert track.transcoded is not None
    assert track.transcoded.loudness == pytest.approx(100 * lufs, abs=25)


def test_every_user_is_brought_to_the_same_loudness(call: Made, tmp_path: Path) -> None:
    result = merge(call, tmp_path / "out", Options(container=Container.M4A, loudness=-20))
    assert len(result.outputs) == 3
    for output in result.outputs:
        assert ebur128(result.file(output))[0] == pytest.approx(-20, abs=0.5)
        assert "bring it to -20 LUFS" in [d.what for d in output.decisions]


def _short(stretch: str, place: Path) -> Merged:
    text = f'vendor = "trtc"\nstart = 2026-03-02T09:00:00.250Z\n[[users]]\nuid = "a"\nsound = [{stretch}]'
    return merge(
        make(parse(text), place / "in"), place / "out", Options(container=Container.M4A, loudness=-16)
    )


@pytest.mark.parametrize(
    ("stretch", "gain", "said"),
    [
        ("[0.8, 1.1]", 0, "nothing in it is loud enough to have a loudness; it stays as it is"),
        ("[0.8, 1.7]", 3000, "it was made louder by 30 dB, not by the 5"),
    ],
    ids=["too short to be measured", "noise between two beeps"],
)
def test_a_loudness_that_cannot_be_reached_is_told(
    stretch: str, gain: int, said: str, tmp_path: Path
) -> None:
    result = _short(stretch, tmp_path)
    assert result.only.verdict.good, result.only.verdict.problems
    (track,) = result.only.tracks
    assert track.transcoded is not None
    assert track.transcoded.gain == gain
    (entry,) = (e for e in result.manifest.ledger if e.sort == "note" and e.uid == "a")
    assert entry.what.startswith(said)
