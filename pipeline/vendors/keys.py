"""Object keys before any vendor reads them: a prefix of folders, and the bare name."""

from __future__ import annotations

from pipeline.vendors.base import BadNameError


def split_key(key: str) -> tuple[str, str]:
    """Everything before the last ``/`` and the bare name; raises `BadNameError` when there is no name.

    >>> split_key("math/room1/a_b.m3u8")
    ('math/room1', 'a_b.m3u8')
    """
    prefix, _, name = key.rpartition("/")
    if not name or key.startswith("/"):
        raise BadNameError(key, "expected a relative key that ends in a file name")
    return prefix, name


def join_key(prefix: str, name: str) -> str:
    """The reverse of `split_key`.

    >>> join_key("math/room1", "a_b.m3u8")
    'math/room1/a_b.m3u8'
    """
    return f"{prefix}/{name}" if prefix else name
