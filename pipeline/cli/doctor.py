"""`recpipe doctor`: whether this machine can do the work, and what to install where it cannot."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import __version__
from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.cli.streams import is_terminal, screen
from pipeline.errors import ExitCode
from pipeline.report.words import count, size, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1
LOW_DISK = 1_000_000_000
_INSTALL_AV = "install PyAV's binary wheel: pip install --only-binary av --force-reinstall 'av>=18.1,<19'"

_INSTALL_PILLOW = "install Pillow's binary wheel: pip install --only-binary pillow --force-reinstall pillow"
_INSTALL_FONTS = "install fonts-noto-core and fonts-noto-cjk (Debian) or recpipe[fonts]"
_NAMED_FONTS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, whether it is as it should be, what was found or what to do.

    ``needed`` says that merge cannot work without it.
    """

    what: str
    ok: bool
    text: str
    needed: bool = True

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'missing' if self.needed else 'note'}: {self.what}: {self.text}"


def answer() -> Answer:
    """All findings."""
    places = (_place("this folder", "."), _place("temporary folder", _temporary()))
    found = [_python(), *_codecs(), *_fonts(), *places, _terminal()]
    code = ExitCode.GOOD if all(f.ok for f in found if f.needed) else ExitCode.USAGE
    return Answer(lambda: _document(found, code), lambda _screen: [str(f) for f in found], code)


def _document(found: list[Finding], code: ExitCode) -> dict[str, Any]:
    return {
        "version": VERSION,
        "recpipe": __version__,
        "findings": [asdict(finding) for finding in found],
        "exit_code": int(code),
    }


def _python() -> Finding:
    system = f"{platform.system()} {platform.machine()}"
    return Finding("Python", True, f"{platform.python_version()} on {system}, recpipe {__version__}")


def _codecs() -> Iterator[Finding]:
    """What needs the codec library, or that it is missing."""
    try:
        from pipeline.api import processors
        from pipeline.media.capabilities import capabilities
    except ImportError as error:
        yield Finding("PyAV", False, f"{error}; {_INSTALL_AV}")
        return
    able = capabilities()
    yield Finding("PyAV", True, f"{able.pyav} with FFmpeg {able.ffmpeg}")
    if able.missing_decoders:
        yield Finding("decoders", False, f"{', '.join(able.missing_decoders)}; {_INSTALL_AV}")
    else:
        yield Finding("decoders", True, "h264, hevc, aac (merge verifies with them)")
    if able.missing_encoders:
        text = f"{', '.join(able.missing_encoders)} missing; {_INSTALL_AV}"
        yield Finding("encoders", False, text, needed=False)
    else:
        text = "libx264, libx265, aac (the demo needs them; merge copies)"
        yield Finding("encoders", True, text, needed=False)
    yield Finding("processors", True, f"{count(processors(), 'user')} at once with --jobs by default")


def _fonts() -> Iterator[Finding]:
    """Which fonts a composite writes names with, and what they can write."""
    try:
        from pipeline.drawing.fonts import SCRIPTS, can_join, find_fonts
    except ImportError as error:
        yield Finding("fonts", False, f"{error}; {_INSTALL_PILLOW}", needed=False)
        return
    found = find_fonts()
    named = ", ".join(dict.fromkeys(font.name for font in found.chain[:_NAMED_FONTS]))
    more = len(found.chain) - _NAMED_FONTS
    chain = f"{named} and {count(more, 'other')}" if more > 0 else named
    lacking = [script for script in SCRIPTS if script not in found.scripts]
    text = f"{', '.join(found.scripts) or 'none'} ({chain})"
    if lacking:
        text += f"; without {', '.join(lacking)}: {_INSTALL_FONTS}"
    if not can_join():
        text += "; Arabic letters stand alone: install libfribidi0"
    yield Finding("fonts", not lacking and can_join(), text, needed=False)


def _place(what: str, where: str) -> Finding:
    try:
        place = Path(where).resolve(strict=True)
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding(what, False, f"{visible(where)} cannot be used ({error.strerror})", False)
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding(
            what, False, f"{visible(str(place))} cannot be written: give -o a place that can", False
        )
    ok = free >= LOW_DISK
    return Finding(what, ok, f"{visible(str(place))} has {'' if ok else 'only '}{size(free)} free", False)


def _temporary() -> str:
    """Where temporary files would go; empty where nowhere can be written."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return ""


def _terminal() -> Finding:
    on = screen()
    kind = "a terminal" if is_terminal(sys.stdout) else "no terminal"
    signs = "Unicode" if on.unicode else "ASCII"
    return Finding("output", True, f"{kind}, {on.width} columns, {signs}", needed=False)


@click.command("doctor", cls=Command, short_help="whether this machine can do it")
@wishes.as_json
def command(*, as_json: bool) -> int:
    """Look whether this machine can merge: versions, codecs, processors, disk, terminal.

    Exit code 2 means that something merge needs is missing; its line says what to install.
    """
    return answer().tell(as_json=as_json)
