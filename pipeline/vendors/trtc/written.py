"""Names of outputs as TRTC gives them to the MP4s that it has finished.

Sources: https://trtc.io/document/45169 and https://cloud.tencent.com/document/product/647/76497 (templates,
``<Index>``, FileNamePrefix); the field text of TencentVod.UserDefineRecordId in Tencent's SDKs (the prefix
before ``__UserDefine_u_``: at most 64 bytes of letters, digits, underlines and hyphens).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.model.naming import numbered
from pipeline.vendors.base import Content, Kind, Source
from pipeline.vendors.trtc.names import TrtcName, encode_id, parse
from pipeline.vendors.written import Folders, ending, lacking, read_back, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.naming import Facts
    from pipeline.vendors.base import Name

_STYLE = "trtc"
_FOLDERS = Folders(_STYLE, "FileNamePrefix", "A-Za-z0-9_-", "letters, digits, '_' and '-'")
_RECORD_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ENDINGS = frozenset({".mp4"})


def asked(text: str) -> tuple[str, str]:
    """As `Writer.asked`: ``[<folder>/…][<UserDefineRecordId>]``."""
    folders, slash, record_id = text.rpartition("/")
    if record_id and not _RECORD_ID.fullmatch(record_id):
        raise CommandError(
            f"--name trtc has the prefix {shown(record_id)}: a UserDefineRecordId has at most 64 letters, "
            "digits, '_' and '-'."
        )
    return _FOLDERS.read(folders + slash), record_id


def names(text: str, like: Name, key: str, files: Sequence[Facts]) -> list[str]:  # noqa: ARG001 - TRTC's names have no random part
    """As `Writer.names`; an index, from 1, only where a user has more than one file of his camera or screen.

    One or two underscores are around the user id, as in the recording's own names.
    """
    if not isinstance(like, TrtcName):
        raise lacking(_STYLE, "SdkAppId", like)
    whole = [_name(text, like, file) for file in files]
    return [
        read_back(_STYLE, replace(name, index=number + 1 if many > 1 else None), parse)
        for name, (number, many) in zip(whole, numbered(whole, files), strict=True)
    ]


def _name(record_id: str, like: TrtcName, file: Facts) -> TrtcName:
    return TrtcName(
        prefix="",
        sdk_app_id=like.sdk_app_id,
        room=like.room,
        kind=Kind.FINISHED,
        content=Content.BOTH,
        extension=ending(_STYLE, file, _ENDINGS).removeprefix("."),
        user=encode_id(file.uid) if file.uid else None,
        source=Source(file.source) if file.uid else Source.CAMERA,
        underscores=like.underscores if file.uid else 2,
        record_id=record_id or None,
    )
