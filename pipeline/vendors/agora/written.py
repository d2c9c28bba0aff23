"""Names of outputs as Agora gives them to the files that it has finished.

Of a user's files as its delayed transcoding does, of all users' as composite recording and the delayed audio
mix do. Source: https://docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files
(templates, ``<index>`` from 0) and the field text of fileNamePrefix in its RESTful API (folders of letters
and digits, at most 128 characters with the slashes).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.model.naming import numbered
from pipeline.vendors.agora.names import AgoraName, parse
from pipeline.vendors.base import Content, Kind
from pipeline.vendors.written import Folders, ending, lacking, read_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.naming import Facts
    from pipeline.vendors.base import Name

_STYLE = "agora"
_FOLDERS = Folders(_STYLE, "fileNamePrefix", "A-Za-z0-9", "letters and digits", 128)
_OF_ONE = frozenset({".mp4"})
_OF_ALL = frozenset({".mp4", ".m4a", ".mp3"})


def asked(text: str) -> tuple[str, str]:
    """As `Writer.asked`: folders and nothing else, because Agora's fileNamePrefix makes folders."""
    return _FOLDERS.read(text), ""


def names(text: str, like: Name, key: str, files: Sequence[Facts]) -> list[str]:  # noqa: ARG001 - nothing to choose, nothing random
    """As `Writer.names`; the index counts a user's files from 0, also where there is one."""
    if not isinstance(like, AgoraName):
        raise lacking(_STYLE, "sid", like)
    whole = [_name(like, file) for file in files]
    return [
        read_back(_STYLE, replace(name, index=number), parse)
        for name, (number, _) in zip(whole, numbered(whole, files), strict=True)
    ]


def _name(like: AgoraName, file: Facts) -> AgoraName:
    extension = ending(_STYLE, file, _OF_ONE if file.uid else _OF_ALL).removeprefix(".")
    return AgoraName(
        prefix="",
        sid=like.sid,
        cname=like.cname,
        kind=Kind.FINISHED,
        content=Content.BOTH if extension == "mp4" else Content.AUDIO,
        extension=extension,
        uid=file.uid or None,
    )
