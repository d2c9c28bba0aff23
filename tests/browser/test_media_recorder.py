"""WebM as a real Chromium records it: our reader and FFmpeg's say the same of it."""

from __future__ import annotations

import os
import queue
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from pipeline.media.opus import samples_of
from pipeline.media.webm.blocks import Damage
from tests.browser.chromium import BROWSER, TIMEOUT_S, _browser
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


class _Handler(BaseHTTPRequestHandler):
    """Gives out the page and takes in what it recorded."""

    def __init__(self, taken_in: queue.Queue[tuple[str, bytes]], *args: object) -> None:
        self._taken_in = taken_in
        super().__init__(*args)  # type: ignore[arg-type]  # what the server hands over

    def do_GET(self) -> None:
        self._answer(PAGE)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")
        self._taken_in.put((self.path[1:], data))

    def _answer(self, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def recorded() -> dict[str, bytes]:
    """What MediaRecorder makes of a canvas and of a tone, by codec."""
    taken_in: queue.Queue[tuple[str, bytes]] = queue.Queue()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, taken_in)) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            with _browser(f"http://127.0.0.1:{server.server_port}/"):
                return dict(taken_in.get(timeout=TIMEOUT_S) for _ in range(3))
        finally:
            server.shutdown()
            thread.join()


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
