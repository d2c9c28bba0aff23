"""Sound that changes its coding, rate or channels: most is copied, the rest encoded into the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.errors import ExitCode
from pipeline.job.look import plan_all
from pipeline.job.merge import merge_all
from pipeline.model.options import Gaps, OnChange, Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.changing_sound import ZERO_MS, Part, Recorded, record
from tests.merge.merging import assert_heard

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.model.manifest import Manifest, Output, OutputTrack

AAC, AAC_44, AAC_16 = "aac 48000 Hz mono", "aac 44100 Hz stereo", "aac 16000 Hz mono"
OPUS, OPUS_2 = "opus 48000 Hz mono", "opus 48000 Hz stereo"


@dataclass(frozen=True)
class Case:
    """Parts, the configuration of the file, and the seconds of the parts that are encoded."""

    parts: tuple[Part, ...]
    target: str
    encoded: tuple[tuple[float, float], ...]
    inside: bool = False
    picture: str = ""


CASES = {
    "another rate and stereo in the midst": Case(
        (Part(0, 8, AAC), Part(8, 13, AAC_44), Part(13, 20, AAC)), AAC, ((8, 13),)
    ),
    "at the beginning": Case((Part(0, 5, AAC_44), Part(5, 17, AAC)), AAC, ((0, 5),)),
    "at the end, behind a mute": Case((Part(0, 12, AAC), Part(14.3, 18, AAC_16)), AAC, ((14.3, 18),)),
    "twice, with mutes around": Case(
        (Part(0, 6, AAC), Part(7.1, 10, AAC_44), Part(12.013, 15, AAC_16), Part(15.5, 22, AAC)),
        AAC,
        ((7.1, 10), (12.013, 15)),
    ),
    "two others after one another": Case(
        (Part(0, 9, AAC), Part(9, 12, AAC_16), Part(12, 15, AAC_44), Part(15, 21, AAC)), AAC, ((9, 15),)
    ),
    "inside a slice": Case(
        (Part(0, 8, AAC), Part(8, 13, AAC_44), Part(13, 20, AAC)), AAC, ((8, 13),), inside=True
    ),
    "mono in stereo": Case((Part(0, 9, AAC_44), Part(9, 13, AAC)), AAC_44, ((9, 13),)),
    "to a browser and back": Case(
        (Part(0, 9, AAC), Part(9.2, 14, OPUS_2), Part(14.4, 20, AAC)), AAC, ((9.2, 14),)
    ),
    "from a browser to a phone": Case(
        (Part(0, 5, AAC_44), Part(5.5, 15, OPUS), Part(15.1, 18, AAC)), OPUS, ((0, 5), (15.1, 18))
    ),
    "with pictures before": Case(
        (Part(3.3, 7, AAC_44), Part(7, 15, AAC)), AAC, ((3.3, 7),), picture="[[0.0, 15.0]]"
    ),
}


@dataclass(frozen=True)
class Result:
    case: Case
    recorded: Recorded
    manifest: Manifest
    place: Path
    code: ExitCode

    @property
    def output(self) -> Output:
        (output,) = self.manifest.outputs
        return output

    @property
    def path(self) -> Path:
        return self.place / self.output.file

    @property
    def told(self) -> OutputTrack:
        return next(track for track in self.output.tracks if track.medium == "audio")


def merged(case: Case, place: Path, options: Options | None = None) -> Result:
    recorded = record(case.parts, place / "in", picture=case.picture, inside=case.inside)
    (done,) = merge_all(Folder(recorded.place), place / "out", options or Options(), Limits())
    assert done.manifest.refused == ()
    return Result(case, recorded, done.manifest, place / "out", done.exit_code(accept_loss=False))


@pytest.fixture(scope="module", params=CASES)
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return merged(CASES[request.param], tmp_path_factory.mktemp("changes"))


def test_every_beep_is_at_its_place_by_stamps_and_by_count(result: Result, tmp_path: Path) -> None:
    assert_heard(result.path, result.output, result.recorded.beeps_ms, tmp_path)


def test_the_verdict_is_good_and_every_packet_is_accounted_for(result: Result) -> None:
    assert result.output.verdict.problems == ()
    assert result.code is ExitCode.GOOD
    told = result.told
    assert told.dropped == ()
    assert told.packets_in == told.packets_out + told.packets_encoded
    assert told.packets_encoded > 0


def test_the_track_has_the_configuration_that_is_heard_longest(result: Result) -> None:
    told = result.told
    channels = {1: "mono", 2: "stereo"}[told.channels]
    assert f"{told.codec} {told.rate} Hz {channels}" == result.case.target
    with av.open(str(result.path)) as container:
        context = container.streams.audio[0].codec_context
        assert (context.codec.canonical_name, context.sample_rate, context.channels) == (
            told.codec,
            told.rate,
            told.channels,
        )


def test_only_the_rest_is_encoded(result: Result) -> None:
    zero = (result.output.utc_zero_ms - ZERO_MS) / 1000
    found = [(e.at / 90_000 + zero, e.until / 90_000 + zero) for e in result.told.encoded]
    assert len(found) == len(result.case.encoded)
    for (start, end), (low, high) in zip(found, result.case.encoded, strict=True):
        assert low - 0.05 <= start <= low + 0.01
        assert high - 0.08 <= end <= high + 0.03


def test_a_second_decoder_plays_it_without_a_word(result: Result) -> None:
    truth.decodes_silently(result.path)


def test_the_plan_says_what_is_encoded(result: Result) -> None:
    said = [decision.what for decision in result.output.decisions if decision.what.startswith("re-encode")]
    others = dict.fromkeys(part.kind for part in result.case.parts if part.kind != result.case.target)
    assert len(said) == len(others)
    for what, kind in zip(said, others, strict=True):
        assert f" of {kind} into {result.case.target}" in what


ODD = CASES["another rate and stereo in the midst"]


def test_the_same_input_gives_the_same_bytes_with_any_number_of_jobs(tmp_path: Path) -> None:
    first = merged(CASES["with pictures before"], tmp_path)
    (done,) = merge_all(Folder(first.recorded.place), tmp_path / "again", Options(), Limits(jobs=2))
    (output,) = done.manifest.outputs
    assert (tmp_path / "again" / output.file).read_bytes() == first.path.read_bytes()


def test_split_makes_a_file_of_each_configuration(tmp_path: Path) -> None:
    recorded = record(ODD.parts, tmp_path / "in")
    options = Options(on_change=OnChange.SPLIT)
    (done,) = merge_all(Folder(recorded.place), tmp_path / "out", options, Limits())
    tracks = [track for output in done.manifest.outputs for track in output.tracks]
    assert [(t.rate, t.channels) for t in tracks] == [(48_000, 1), (44_100, 2), (48_000, 1)]
    assert [t.encoded for t in tracks] == [(), (), ()]
    beeps = recorded.beeps_ms
    for output, (low, high) in zip(done.manifest.outputs, [(0, 8), (8, 13), (13, 20)], strict=True):
        assert output.verdict.problems == ()
        within = [at for at in beeps if low <= (at - ZERO_MS) / 1000 < high]
        assert_heard(tmp_path / "out" / output.file, output, within, tmp_path)


def test_copy_refuses_what_one_track_cannot_hold(tmp_path: Path) -> None:
    recorded = record(ODD.parts, tmp_path / "in")
    options = Options(on_change=OnChange.COPY)
    (done,) = merge_all(Folder(recorded.place), tmp_path / "out", options, Limits())
    (refusal,) = done.manifest.refused
    assert refusal.why == (
        "the sound changes (aac 48000 Hz mono -> aac 44100 Hz stereo), which one track cannot hold as it is: "
        "use --on-change fit or split"
    )


def test_what_lies_inside_a_slice_is_planned_once_it_was_read(tmp_path: Path) -> None:
    case = CASES["inside a slice"]
    recorded = record(case.parts, tmp_path / "in", inside=True)
    plans = [plan_all(Folder(recorded.place), Options(), deep=deep)[1] for deep in (False, True)]
    said = [[d.what for d in plan.plan.outputs[0].decisions] for (plan,) in plans]
    assert said[1][:2] == [f"copy {AAC}", f"re-encode 0:05.000 of {AAC_44} into {AAC}"]
    assert not any(what.startswith("re-encode") for what in said[0])


def test_what_is_encoded_on_both_sides_of_dropped_time_is_two_stretches(tmp_path: Path) -> None:
    parts = (Part(0, 9, AAC), Part(9, 12, AAC_44), Part(40, 43, AAC_16), Part(43, 52, AAC))
    result = merged(Case(parts, AAC, ()), tmp_path, Options(gaps=Gaps.DROP))
    assert result.output.verdict.problems == ()
    assert len(result.output.map) == 2
    assert len(result.told.encoded) == 2
    spans = [round((span.utc_ms - ZERO_MS) / 1000) for span in result.told.spans]
    assert spans == [0, 9, 40, 43]
    assert_heard(result.path, result.output, result.recorded.beeps_ms, tmp_path)
