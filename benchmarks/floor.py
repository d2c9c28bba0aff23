"""The floor of a composite: processor seconds inside the codec library's decode, scale and encode calls.

``python -m benchmarks.floor SOURCE [options of compose]`` makes a composite with a clock around these calls
alone, in all its processes, and prints the seconds of each. Whatever else a composite costs is the engine's.
Two pieces are made at once, as by the command that it is compared with: cores that share an execution unit
are slower together.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.media.compose import encoder, feed, layers
from pipeline.media.mix import encode, voice

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS = "2"
CALLS = ("decode pictures", "decode sound", "encode pictures", "encode sound", "scale")
SPENT = get_context("fork").Array("d", len(CALLS))


def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, its processor time counted."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        begun = time.thread_time()
        try:
            return call(*args, **kwargs)
        finally:
            spent = time.thread_time() - begun
            with SPENT.get_lock():
                SPENT[CALLS.index(name)] += spent

    return wrapped


class _Timed:
    """An object of the codec library, some of its calls timed."""

    def __init__(self, inner: Any, calls: dict[str, str]) -> None:
        object.__setattr__(self, "_inner", inner)
        object.__setattr__(self, "_calls", calls)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return timed(self._calls[name], found) if name in self._calls else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)


class _Library:
    """The codec library for one module, whose contexts are timed."""

    def __init__(self, inner: Any, kind: str) -> None:
        self._inner = inner
        self.CodecContext = _Contexts(inner.CodecContext, kind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Contexts:
    def __init__(self, inner: Any, kind: str) -> None:
        self._inner, self._kind = inner, kind

    def create(self, *args: Any) -> Any:
        """A context, timed."""
        calls = {"decode": f"decode {self._kind}", "encode": f"encode {self._kind}"}
        return _Timed(self._inner.create(*args), calls)


def instrument() -> None:
    """Put clocks around the calls of the engine into the codec library."""
    for module, kind in ((feed, "pictures"), (encoder, "pictures"), (encode, "sound")):
        vars(module)["av"] = _Library(vars(module)["av"], kind)
    scaler = vars(layers)["VideoReformatter"]
    vars(layers)["VideoReformatter"] = lambda: _Timed(scaler(), {"reformat": "scale"})
    decoder = vars(voice)["_Decoder"]
    plain = decoder.decode

    def decode(self: Any, frames: Any) -> Any:
        if not isinstance(self._context, _Timed):
            self._context = _Timed(self._context, {"decode": "decode sound"})
        return plain(self, frames)

    decoder.decode = decode


def main() -> int:
    """Make the composite and print the seconds."""
    instrument()
    from pipeline.cli.app import app

    place = Path(tempfile.mkdtemp(prefix="recpipe-floor-"))
    try:
        app.main(_arguments(place))
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        shutil.rmtree(place)
    print(json.dumps({name: round(seconds, 3) for name, seconds in zip(CALLS, SPENT[:], strict=True)}))
    return 0


def _arguments(place: Path) -> list[str]:
    """The command: compose, or the job behind ``--job`` with a place of its own."""
    source, *options = sys.argv[1:]
    if options[:1] != ["--job"]:
        return ["compose", source, *options, "-o", str(place / "out"), "--jobs", JOBS, "--verify", "off"]
    document = json.loads(Path(options[1]).read_text(encoding="utf-8"))
    document["targets"] = [{"place": str(place / "out")}]
    document["limits"] |= {"jobs": int(JOBS)}
    document["outputs"] |= {"verify": "off"}
    job = place / "job.json"
    job.write_text(json.dumps(document), encoding="utf-8")
    return ["run", str(job)]


if __name__ == "__main__":
    sys.exit(main())
