"""From bucket to bucket over TLS: one recording of each kind, to the byte what a merge of the folder makes.

Slices lie in the bucket of one account, files go into that of another. Some stores are spoken to as COS is;
into those files leave in parts. A source alone is compared in ``tests/sources/test_bucket.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.job.merge import merge_all
from pipeline.sources.folder import Folder
from pipeline.steps import stream as streaming
from pipeline.steps.place import Limits
from pipeline.storage import sending
from tests.cells import cell
from tests.job.between import Buckets, job_of
from tests.merge import changing_sound, test_failover, test_he_aac, test_resampled
from tests.merge.merging import tree
from tests.sources.stored import objects, put_all, same
from tests.sources.test_deliver import Small

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from tests.servers.s3 import S3Server

    Make = Callable[[Path], Path]


SMALL = {"size": "320x180", "preset": "ultrafast"}
"""A composite that does not take long."""


class Way(NamedTuple):
    """Where from and where to, by the names of stores."""

    source: str
    place: str


ACCOUNTS = Way("calls", "vod")
"""Of one Swift."""
INTO_COS = Way("calls", "cosvod")
OUT_OF_COS = Way("coscalls", "vod")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of recording and of what is asked for.

    Attributes:
        made: the name of a fixture, or what makes a recording in a folder.
        outputs: of the job's document.
        way: between which stores.
    """

    made: str | Make
    outputs: dict[str, Any] = field(default_factory=dict)
    way: Way = ACCOUNTS


def _failed_over(place: Path) -> Path:
    return test_failover.two_recorders("agora", place, dies_after=4, takes_over=18.0).place


def _he_aac(place: Path) -> Path:
    return test_he_aac._record(2, test_he_aac.MUTED, place / "in").place


def _fast(place: Path) -> Path:
    call = test_resampled.CALL.format(sampled=test_resampled.FAST, sound=test_resampled.MUTED)
    return make(parse(call), place / "in").place


def _sound_changes(place: Path) -> Path:
    kinds = ("aac 48000 Hz mono", "opus 48000 Hz mono", "aac 44100 Hz stereo")
    parts = [changing_sound.Part(8 * n, 8 * n + 8, kind) for n, kind in enumerate(kinds)]
    return changing_sound.record(parts, place / "in", picture="[[0.2, 24.0]]").place


KINDS = {
    "HLS of Agora": Kind("plain-agora"),
    "HLS of TRTC": Kind("plain-trtc", way=INTO_COS),
    "HLS of Volcengine": Kind("volcengine-hls", way=OUT_OF_COS),
    "sound and pictures in the same slices": Kind("audiovideo-trtc"),
    "sound alone": Kind("audio-only", way=INTO_COS),
    "HEVC whose size changes": Kind("hevc-ramp-up", way=INTO_COS),
    "VP8, encoded anew": Kind("web-vp8"),
    "VP9 with Opus": Kind("web-vp9", way=INTO_COS),
    "Opus with mutes": Kind("web-opus", way=OUT_OF_COS),
    "from phone to browser and back": Kind("web-native-switch"),
    "an MPD": Kind("web-combined-index"),
    "HE-AAC with a mute": Kind(_he_aac),
    "sizes that change inside slices, fitted": Kind("ramp-up-in-slices"),
    "sizes that change, split": Kind("ramp-up", {"on_change": "split"}, INTO_COS),
    "rotations that change, copied": Kind("rotation-changes", {"on_change": "copy"}),
    "sound that changes": Kind(_sound_changes),
    "mutes and a return": Kind("mute-and-rejoin", way=INTO_COS),
    "stays in files of their own": Kind("mute-and-rejoin", {"by": "session"}),
    "an absence that is black": Kind("camera-off-microphone-on", {"gaps": "black"}),
    "an absence of two hours": Kind("gap-of-two-hours"),
    "a missing slice": Kind("missing-slice", way=OUT_OF_COS),
    "a damaged slice": Kind("truncated-slice", way=INTO_COS),
    "a recorder that took over": Kind(_failed_over, way=OUT_OF_COS),
    "a screen in its own file": Kind("screen-trtc"),
    "a screen in the camera's file": Kind("screen-and-camera", {"screen": "prefer"}, INTO_COS),
    "time stamps that wrap": Kind("pts-wraps", way=INTO_COS),
    "a clock that is fast": Kind("clock-fast"),
    "sound that is resampled": Kind(_fast, {"max_audio_edits": 10}),
    "finished MP4s of TRTC": Kind("trtc-mp4"),
    "finished MP4s of Volcengine": Kind("volcengine-mp4", way=INTO_COS),
    "a composite": Kind("mix-agora-hls"),
    "the on-premise SDK": Kind("onpremise"),
    "the mix, to a loudness": Kind("plain-agora", {"mix": True, "loudness": -16}),
    "Matroska": Kind("b-frames", {"container": "mkv"}, INTO_COS),
    "WebM": Kind("web-vp9", {"container": "webm", "tracks": "video"}),
    "M4A": Kind("late-sound", {"container": "m4a"}, INTO_COS),
    "MP3": Kind("stereo-44100", {"container": "mp3"}),
    "everybody in one picture": Kind("plain-trtc", {"kind": "compose", "composite": SMALL}, OUT_OF_COS),
    "the call in one picture, a screen large": Kind(
        "screen-and-camera", {"kind": "compose", "composite": SMALL}
    ),
}


LIKE_OTHERS = {
    "sound alone",
    "Opus with mutes",
    "from phone to browser and back",
    "sizes that change, split",
    "rotations that change, copied",
    "mutes and a return",
    "an absence that is black",
    "an absence of two hours",
    "time stamps that wrap",
    "a clock that is fast",
    "finished MP4s of Volcengine",
    "M4A",
    "MP3",
    "sound that is resampled",
    "the call in one picture, a screen large",
}
"""On the way between stores they differ from no other: ``make soak`` tries them."""


@pytest.fixture(scope="module")
def buckets(swift_tls: S3Server, rclone_tls: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Buckets:
    found = Buckets(tmp_path_factory.mktemp("stores") / "recpipe.toml")
    found.add("calls", swift_tls, swift_tls.accounts[0])
    found.add("vod", swift_tls, swift_tls.accounts[1])
    found.add("coscalls", rclone_tls, rclone_tls.accounts[0])
    found.add("cosvod", rclone_tls, rclone_tls.accounts[1])
    return found


_numbers = count(1)


@pytest.mark.parametrize(
    "kind",
    [cell(kind, name=name, always=name not in LIKE_OTHERS) for name, kind in KINDS.items()],
)
def test_a_job_between_buckets_makes_what_a_merge_of_the_folder_makes(
    kind: Kind,
    buckets: Buckets,
    made: Callable[[str], Made],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = made(kind.made).place if isinstance(kind.made, str) else kind.made(tmp_path)
    at = f"{next(_numbers)}"
    source, place = f"{kind.way.source}:in/{at}", f"{kind.way.place}:out/{at}"
    put_all(folder, buckets.open(source))
    job = job_of(source, place, tmp_path, outputs=kind.outputs)
    merge_all(Folder(folder), tmp_path / "local", job.options, Limits())

    if kind.way is INTO_COS:
        monkeypatch.setattr(streaming, "Sizes", Small)
        monkeypatch.setattr(sending, "PART", 64 << 10)
    (ran,) = buckets.ran(job)

    assert ran.error is None
    assert ran.done
    assert ran.done.manifest.outputs
    assert same(objects(buckets.open(place)), tree(tmp_path / "local"))
    if kind.way is INTO_COS:
        assert any(len(output.parts) > 1 for output in ran.done.manifest.outputs)
