"""Pixels as files: JPEG and PNG."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

SUBSAMPLED = 2
"""Chroma of every second pixel and line, as the recordings have it."""
FAST = 1
"""Of PNG: a quarter of the time of the usual level for a tenth more bytes."""


def jpeg(pixels: bytes, width: int, height: int, quality: int) -> bytes:
    """Lines of RGB without padding as a baseline JPEG.

    Args:
        pixels: 3 bytes each.
        width: in pixels.
        height: in pixels.
        quality: 1 to 95, as libjpeg counts.
    """
    out = BytesIO()
    image(pixels, width, height).save(out, "JPEG", quality=quality, subsampling=SUBSAMPLED)
    return out.getvalue()


def png(pixels: bytes, width: int, height: int) -> bytes:
    """As `jpeg`, with every pixel kept."""
    out = BytesIO()
    image(pixels, width, height).save(out, "PNG", compress_level=FAST)
    return out.getvalue()


def image(pixels: bytes, width: int, height: int) -> Image.Image:
    """The same in Pillow's words, not copied."""
    return Image.frombuffer("RGB", (width, height), pixels, "raw", "RGB", 0, 1)
