"""Which layouts there are: each cloud's templates, our own layouts, and templates of nobody's for 25 users.

A template of nobody's is the table of the cloud that writes it, continued where that one ends. Adding a
vendor is adding its ``layouts.py`` and a line in each table here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.layout.auto import LIMIT, SIZE, auto, speaker
from pipeline.layout.canvas import Mode
from pipeline.layout.rules import ours
from pipeline.layout.templates import Large, Layout, custom
from pipeline.vendors.agora import layouts as agora
from pipeline.vendors.trtc import layouts as trtc
from pipeline.vendors.volcengine import layouts as volcengine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.layout.canvas import Canvas, Place
    from pipeline.layout.rules import Known
    from pipeline.layout.scene import Scene, Seat

TEMPLATES: dict[str, tuple[Layout, ...]] = {
    "agora": agora.LAYOUTS,
    "trtc": trtc.LAYOUTS,
    "volcengine": volcengine.LAYOUTS,
}
LIMITS: dict[str, Known[int]] = {
    "": LIMIT,
    "agora": agora.LIMIT,
    "trtc": trtc.LIMIT,
    "volcengine": volcengine.LIMIT,
}
SIZES: dict[str, Known[str]] = {
    "": SIZE,
    "agora": agora.SIZE,
    "trtc": trtc.SIZE,
    "volcengine": volcengine.SIZE,
}
MODES: dict[str, Known[Mode]] = {
    "": ours("mode of a custom region", Mode.CROP, "as most clouds"),
    "agora": agora.PAGE.doc("mode of a custom region", Mode.CROP),
    "trtc": trtc.TYPES.doc("mode of a custom region", Mode.CROP),
    "volcengine": volcengine.PAGE.doc("mode of a custom region", Mode.STRETCH),
}
AUTO, SPEAKER, CUSTOM = "auto", "speaker", "custom"
NAMES = (AUTO, SPEAKER, "grid", "best-fit", "floating", "vertical", "screen", "side-by-side", CUSTOM)


_FIRST = ours("large unless named", Large.FIRST, "somebody has to be")
_SCREEN = ours("large unless named", Large.SCREEN, "it is what the template is for")
_MODES = (
    ours("mode of the large", Mode.FIT, "as Agora"),
    ours("mode of the small", Mode.CROP, "as all clouds"),
)

GENERAL: tuple[Layout, ...] = (
    replace(trtc.GRID, vendor="", title="as TRTC", limit=LIMIT, size=SIZE),
    Layout(
        "best-fit",
        "",
        "as Agora, then as TRTC's grid",
        LIMIT,
        SIZE,
        (*agora.BEST_FIT_ROWS, replace(trtc.GRID.rows[-1], first=18)),
        agora.BEST_FIT.large,
    ),
    replace(trtc.FLOATING, vendor="", title="as TRTC", limit=LIMIT, size=SIZE),
    Layout("vertical", "", "as TRTC's screen", LIMIT, SIZE, trtc.screen_rows(_MODES), _FIRST),
    Layout("screen", "", "as TRTC", LIMIT, SIZE, trtc.SCREEN.rows, _SCREEN, mirrors=trtc.SCREEN.mirrors),
    Layout(
        "side-by-side",
        "",
        "as Volcengine",
        LIMIT,
        SIZE,
        volcengine.beside_rows(LIMIT.value),
        volcengine.SIDE_BY_SIDE.large,
    ),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which layout somebody asks for, and in whose variant.

    Attributes:
        name: one of `NAMES`.
        vendor: one of `TEMPLATES`; empty for the variant of nobody.
        large: index of the user who is large; None for the layout's own rule.
        right: the large one stands at the right.
        places: of a custom layout, user by user.

    Raises:
        CommandError: there is no such layout, or it takes no such wish.
    """

    name: str
    vendor: str = ""
    large: int | None = None
    right: bool = False
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise CommandError(f"there is no layout {self.name!r}: there are {', '.join(NAMES)}.")
        if self.vendor and self.vendor not in TEMPLATES:
            raise CommandError(
                f"no layouts of {self.vendor!r} are known: of {', '.join(TEMPLATES)} they are."
            )
        if self.name not in offered(self.vendor):
            raise CommandError(
                f"{self.vendor} has no layout {self.name}: it has {', '.join(offered(self.vendor))}."
            )
        if bool(self.places) != (self.name == CUSTOM):
            raise CommandError("a custom layout needs regions, and no other layout takes any.")
        if self.name == CUSTOM and (self.large is not None or self.right):
            raise CommandError("a custom layout has no large region: give each user's region.")
        if self.right and self.name in {AUTO, SPEAKER}:
            raise CommandError(f"the layout {self.name} chooses itself where the large region is.")

    def scene(self, canvas: Canvas, seats: Sequence[Seat]) -> Scene:
        """Who is where.

        Args:
            canvas: what to draw on.
            seats: in the order of joining.

        Raises:
            CommandError: nobody has the index of the large one, or the canvas is too small.
        """
        if self.name == CUSTOM:
            return custom(canvas, seats, self.places, LIMITS[self.vendor], self.vendor)
        if self.name in {AUTO, SPEAKER}:
            return (auto if self.name == AUTO else speaker)(canvas, seats, self.large)
        return template(self.name, self.vendor).arrange(canvas, seats, self.large, right=self.right)

    def arranged(
        self, canvas: Canvas, seats: Sequence[Seat], large: int | None, *, absent: bool = False
    ) -> Scene:
        """As `pipeline.layout.composing.Arranger`; ``large`` comes before the one that is wished for."""
        if self.name in {AUTO, SPEAKER}:
            return (auto if self.name == AUTO else speaker)(canvas, seats, large)
        if self.name == CUSTOM:
            return self.scene(canvas, seats)
        found = template(self.name, self.vendor)
        if found.large.value is Large.NOBODY:
            return found.arrange(canvas, seats)
        return found.arrange(canvas, seats, large, right=self.right, absent=absent)

    @property
    def has_large(self) -> bool:
        """Whether anybody can be large in it."""
        if self.name in {AUTO, SPEAKER, CUSTOM}:
            return self.name != CUSTOM
        return template(self.name, self.vendor).large.value is not Large.NOBODY


def template(name: str, vendor: str = "") -> Layout:
    """The table of a template; it is there for every wish but our own and custom layouts."""
    return next(layout for layout in TEMPLATES.get(vendor, GENERAL) if layout.name == name)


def offered(vendor: str) -> tuple[str, ...]:
    """The layouts of a vendor; all there are for nobody's."""
    if not vendor:
        return NAMES
    return (*(layout.name for layout in TEMPLATES[vendor]), CUSTOM)
