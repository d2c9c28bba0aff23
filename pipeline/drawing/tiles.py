"""Images as tiles: a file that somebody gave becomes pixels of a region. What is in it is not trusted.

A small file can claim to be a picture that fills the memory: bounds are checked before anything is decoded.
"""

from __future__ import annotations

import os
import stat
import struct
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from pipeline.errors import CommandError
from pipeline.layout.canvas import Mode
from pipeline.layout.fill import fill
from pipeline.media.compose.sprite import Sprite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.layout.fill import Fill

MOST_BYTES = 50_000_000
MOST_PIXELS = 64_000_000
FORMATS = ("JPEG", "PNG", "BMP", "GIF")
_LEAST = 2
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, struct.error)
"""What Pillow raises over bytes that are no good."""


def image_tile(path: Path, mode: Mode, w: int, h: int) -> Sprite:
    """An image that fills a region.

    Args:
        path: a JPEG, PNG, BMP or GIF (its first picture); shown as its EXIF orientation says.
        mode: how it fills the region.
        w: width of the region, even.
        h: height of it, even.

    Returns:
        A sprite of w x h at 0, 0; what the image does not cover is transparent.

    Raises:
        CommandError: the file cannot be used: not there, too large, broken, of another format.
    """
    picture, placed = _scaled(path, mode, w, h)
    pixels = np.zeros((h, w, 4), np.uint8)
    dest = placed.dest
    pixels[dest.y : dest.bottom, dest.x : dest.right] = np.asarray(picture)
    return Sprite(0, 0, pixels)


def fitted(path: Path, x: int, y: int, w: int, h: int) -> Sprite:
    """An image in the middle of a rectangle of a canvas, as large as fits; no larger than the image then is.

    Raises:
        CommandError: as `image_tile`.
    """
    picture, placed = _scaled(path, Mode.FIT, max(_LEAST, w // 2 * 2), max(_LEAST, h // 2 * 2))
    return Sprite(x + placed.dest.x, y + placed.dest.y, np.asarray(picture))


def _scaled(path: Path, mode: Mode, w: int, h: int) -> tuple[Image.Image, Fill]:
    with _opened(path, max(w, h)) as image:
        ImageOps.exif_transpose(image, in_place=True)
        placed = fill(mode, image.size, (w, h))
        source, dest = placed.source, placed.dest
        box = (source.x, source.y, source.right, source.bottom)
        scaled = _coloured(image).resize((dest.w, dest.h), Image.Resampling.BICUBIC, box, reducing_gap=3.0)
        return scaled.convert("RGBA"), placed


def _coloured(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled: with alpha only where the file has some."""
    if image.mode.startswith("I"):  # 16 bits of grey: Pillow would cut off what is above 255
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in {"RGB", "RGBA", "L"} and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


@contextmanager
def _opened(path: Path, least: int) -> Iterator[Image.Image]:
    """An image, decoded; a photo that is much larger than so many pixels on each side in a smaller size."""
    name = repr(str(path))
    try:
        opened = open(path, "rb", opener=_not_waiting)  # noqa: SIM115 - Path.open takes no opener
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandError(f"the image {name} cannot be opened ({why}): give a file that can.") from None
    with opened as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of broken metadata, and of sizes that are checked here
        _bounded_file(os.fstat(file.fileno()), name)
        try:
            image = Image.open(file, formats=FORMATS)
            _bounded_size(image)
            image.draft(None, (least, least))
            image.load()
            yield image
        except Image.DecompressionBombError:
            most = f"{MOST_PIXELS // 1_000_000} million"
            raise CommandError(f"the image {name} has too many pixels: give one of at most {most}.") from None
        except _BROKEN as error:
            raise CommandError(
                f"the image {name} cannot be read ({error}): give a JPEG, PNG, BMP or GIF file that is whole."
            ) from None


def _not_waiting(path: str, flags: int) -> int:
    """Opening a pipe would wait for whoever writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _bounded_file(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise CommandError(f"the image {name} is no file: give a JPEG, PNG, BMP or GIF file.")
    if found.st_size > MOST_BYTES:
        raise CommandError(f"the image {name} has {found.st_size} bytes: give one of at most {MOST_BYTES}.")


def _bounded_size(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise Image.DecompressionBombError
