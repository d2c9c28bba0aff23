"""Composing: everything that a composite is asked for, in our own words, whoever's request it came from."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.layout.encoding import Encoding, SoundEncoding
from pipeline.layout.looks import Cell, Looks
from pipeline.layout.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.layout.canvas import Canvas
    from pipeline.layout.scene import Scene, Seat
    from pipeline.layout.streams import Who


class Arranger(Protocol):
    """A layout: `pipeline.vendors.layouts.Wish` is one."""

    @property
    def name(self) -> str:
        """Of the layout."""
        ...

    @property
    def vendor(self) -> str:
        """Whose variant it is; empty for nobody's."""
        ...

    def arranged(
        self, canvas: Canvas, seats: Sequence[Seat], large: int | None, *, absent: bool = False
    ) -> Scene:
        """Who is where.

        Args:
            canvas: what to draw on.
            seats: who is there, in the order of joining.
            large: index of the one who is large; None for the layout's own rule.
            absent: somebody was named large who is not there.

        Raises:
            CommandError: the canvas is too small, or the layout has no large region.
        """
        ...


@dataclass(frozen=True, slots=True)
class Composing:
    """What a composite is asked for.

    Attributes:
        canvas: its size and background colour.
        layout: how users are arranged.
        streams: whose pictures and sound take part.
        main: who is large, while he is there; None for the layout's own rule.
        cells: the regions of a custom layout.
        looks: everything that is drawn besides.
        encoding: of the pictures; None for a file of sound.
        sound: of the sound; None for a file without.
        most_ms: a file is at most so long, the next goes on; None for one file.
    """

    canvas: Canvas
    layout: Arranger
    streams: Streams = field(default_factory=Streams)
    main: Who | None = None
    cells: tuple[Cell, ...] = ()
    looks: Looks = field(default_factory=Looks)
    encoding: Encoding | None = field(default_factory=Encoding)
    sound: SoundEncoding | None = field(default_factory=SoundEncoding)
    most_ms: int | None = None


def told(value: object) -> Any:
    """A value as JSON has it, what is as nothing special left out: for manifests, and to tell jobs apart."""
    if isinstance(value, tuple):
        return [told(each) for each in value]
    if is_dataclass(value):
        own = {each.name: getattr(value, each.name) for each in fields(value) if _special(each, value)}
        return {"is": type(value).__name__.lower(), **{name: told(each) for name, each in own.items()}}
    return value if value is None or isinstance(value, bool | int) else str(value)


def _special(own: Field[Any], value: object) -> bool:
    default = own.default_factory() if own.default_factory is not MISSING else own.default
    return bool(getattr(value, own.name) != default)
