"""WebM as a real Chromium records it: our reader and FFmpeg's say the same of it."""

from __future__ import annotations

import os

import pytest

from pipeline.media.opus import samples_of
from pipeline.media.webm.blocks import Damage
from tests.browser.chromium import BROWSER
from tests.browser.recording import recorded
from tests.media.webm_material import demuxed, ends, taken

SIZE = (320, 180)
PAGE = b"""<!doctype html><canvas id="canvas" width="320" height="180"></canvas><script>
async function record(stream, mimeType, slice) {
  const recorder = new MediaRecorder(stream, {mimeType}), parts = [];
  recorder.ondataavailable = event => parts.push(event.data);
  const stopped = new Promise(resolve => { recorder.onstop = resolve; });
  recorder.start(slice);
  await new Promise(resolve => setTimeout(resolve, 2500));
  recorder.stop();
  await stopped;
  return new Blob(parts);
}
(async () => {
  const canvas = document.getElementById("canvas"), pen = canvas.getContext("2d");
  let count = 0;
  setInterval(() => { pen.fillStyle = `hsl(${7 * count++},80%,50%)`; pen.fillRect(0, 0, 320, 180); }, 66);
  const audio = new AudioContext(), tone = audio.createOscillator();
  const sink = audio.createMediaStreamDestination();
  tone.connect(sink);
  tone.start();
  await Promise.all([
    ["vp8", canvas.captureStream(15), "video/webm;codecs=vp8", 500],
    ["vp9", canvas.captureStream(15), "video/webm;codecs=vp9", undefined],
    ["opus", sink.stream, "audio/webm;codecs=opus", 500],
  ].map(async ([name, stream, type, slice]) => {
    await fetch("/" + name, {method: "POST", body: await record(stream, type, slice)});
  }));
})();
</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None and os.environ.get("CI") != "true",
        reason="chromium is not installed (Debian: apt-get install chromium); CI must have it",
    ),
]


@pytest.fixture(scope="module", name="recorded")
def what_chromium_records() -> dict[str, bytes]:
    """What MediaRecorder makes of a canvas and of a tone, by codec."""
    return recorded(PAGE, 3)


@pytest.mark.parametrize("codec", ["vp8", "vp9", "opus"])
def test_what_chromium_records_is_read_as_ffmpeg_reads_it(recorded: dict[str, bytes], codec: str) -> None:
    data = recorded[codec]
    packets, damage = taken(data)
    theirs = demuxed(data)
    assert damage == Damage()
    assert [(p.ticks, p.data) for p in packets] == [(90 * ms, payload) for ms, payload in theirs]
    found = ends(data)
    assert (found.track.codec, found.key, found.cut, found.damaged) == (codec, True, False, False)
    assert (found.first, found.last) == (packets[0].ticks, packets[-1].ticks)
    assert (found.width, found.height) == ((0, 0) if codec == "opus" else SIZE)
    assert len(packets) > 15


def test_the_sound_that_chromium_records_is_right_by_count_and_stamped_by_arrival(
    recorded: dict[str, bytes],
) -> None:
    packets, _ = taken(recorded["opus"])
    lengths = [samples_of(packet.data) for packet in packets]
    assert set(lengths) <= {960, 1920, 2880}
    counted = sum(length or 0 for length in lengths[:-1]) * 90_000 // 48_000
    assert abs(packets[-1].ticks - packets[0].ticks - counted) < 9000
