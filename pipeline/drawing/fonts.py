"""Fonts: which are on this machine, which characters they have, which one draws what.

No font has all characters, so there is a chain of them, and each character is drawn with the first that has
it. `pipeline.drawing.text` draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont, features

from pipeline.drawing.cmap import Coverage, NoFontError, coverage
from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUILT_IN = ""
"""In place of a path: the font in Pillow, which is Latin."""
_SHARE = Path("/usr/share/fonts")
_SIMPLIFIED = 2
"""Of the fonts in Noto's collection for Chinese, Japanese and Korean: the one for simplified Chinese."""
_DEBIAN = (
    ("truetype/noto/NotoSans-Regular.ttf", 0),  # fonts-noto-core
    ("truetype/dejavu/DejaVuSans.ttf", 0),  # fonts-dejavu-core
    ("truetype/noto/NotoSansArabic-Regular.ttf", 0),
    ("opentype/noto/NotoSansCJK-Regular.ttc", _SIMPLIFIED),  # fonts-noto-cjk
    ("truetype/droid/DroidSansFallbackFull.ttf", 0),  # fonts-droid-fallback
)
_NOTO = "truetype/noto/NotoSans*-Regular.ttf"
"""One file a script, of fonts-noto-core."""
SCRIPTS = {"Latin": "Az", "Chinese": "会议", "Japanese": "あカ", "Arabic": "سل"}
"""Characters that stand for a script: a font has all of them or cannot write it."""
_TRIAL_SIZE = 16


@dataclass(frozen=True, slots=True)
class Font:
    """A font in a file.

    Attributes:
        path: the file, or `BUILT_IN`.
        index: of the font in a collection.
    """

    path: str
    index: int = 0

    def __contains__(self, text: str) -> bool:
        """Whether it has a glyph for every character."""
        has = _coverage(self)
        return all(ord(character) in has for character in text)

    @property
    def name(self) -> str:
        """As the file calls it."""
        family, style = self.sized(_TRIAL_SIZE).getname()
        return family if style in {None, "Regular", "Book"} and family else f"{family} {style}"

    def sized(self, size: int) -> ImageFont.FreeTypeFont:
        """The font whose letters are so many pixels high; made once a size."""
        return _sized(self, size)


@dataclass(frozen=True, slots=True)
class Fonts:
    """A chain of fonts, the first ones first; never empty."""

    chain: tuple[Font, ...]

    def drawing(self, text: str) -> Font | None:
        """The first font that has every character; None if none has."""
        return next((font for font in self.chain if text in font), None)

    @property
    def scripts(self) -> tuple[str, ...]:
        """Which of `SCRIPTS` can be written."""
        return tuple(name for name, sample in SCRIPTS.items() if self.drawing(sample))


def can_join() -> bool:
    """Whether letters are joined and set from right to left as Arabic wants it; needs the library fribidi."""
    return features.check("raqm") is True


def find_fonts(given: Sequence[Path] = (), share: Path = _SHARE) -> Fonts:
    """The chain: fonts that somebody gave, Debian's, those of the extra ``[fonts]``, the one in Pillow.

    Args:
        given: files of TrueType and OpenType fonts and collections.
        share: where the system keeps its fonts.

    Raises:
        CommandError: a given file cannot be read, or it is no font.
    """
    for path in given:
        _try(path)
    files = [(str(path), 0) for path in given]
    files += [(str(share / name), index) for name, index in _DEBIAN if (share / name).is_file()]
    files += [(str(path), 0) for path in sorted(share.glob(_NOTO))]
    files += [(str(path), _SIMPLIFIED) for path in _extra()]
    return Fonts((*dict.fromkeys(Font(*file) for file in files), Font(BUILT_IN)))


def _try(path: Path) -> None:
    font = Font(str(path))
    try:
        if not path.is_file():
            raise CommandError(f"the font {str(path)!r} is no file: give a .ttf, .otf or .ttc file.")
        _coverage(font)
        font.sized(_TRIAL_SIZE)
    except (OSError, NoFontError) as error:
        raise CommandError(
            f"the font {str(path)!r} cannot be used ({error}): give a .ttf, .otf or .ttc file."
        ) from None


def _extra() -> Iterator[Path]:
    """Noto's collection for Chinese, Japanese and Korean, if ``recpipe[fonts]`` is installed."""
    try:
        path = import_module("noto_cjk").otc_path("sans")
    except (ImportError, RuntimeError):  # the latter: the package is there without that font
        return
    yield Path(path)


@lru_cache(maxsize=512)
def _coverage(font: Font) -> Coverage:
    if font.path == BUILT_IN:
        return coverage(BytesIO(_own()))
    with Path(font.path).open("rb") as file:
        return coverage(file, font.index)


@lru_cache(maxsize=256)
def _sized(font: Font, size: int) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if can_join() else ImageFont.Layout.BASIC
    file = BytesIO(_own()) if font.path == BUILT_IN else font.path
    return ImageFont.truetype(file, size, font.index, layout_engine=engine)


@lru_cache(maxsize=1)
def _own() -> bytes:
    """The file of Pillow's own font."""
    source = getattr(ImageFont.load_default(_TRIAL_SIZE), "path", None)
    if not isinstance(source, BytesIO):
        raise CommandError("this Pillow was built without FreeType: install its binary wheel.")
    return source.getvalue()
