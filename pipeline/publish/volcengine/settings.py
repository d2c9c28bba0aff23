"""Where on Volcengine VOD films go and what becomes of them there, as a value that is valid once it exists.

No secret is part of it: it has the names of environment variables.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.errors import CommandError
from pipeline.storage.profiles import host_of_endpoint
from pipeline.storage.stores import REGION

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.storage.stores import KeysInEnvironment

HOME_REGION = "cn-north-1"
LONGEST_TITLE = 128
"""Characters (docs/4/4652, ``Title``; what is told of AddOptionInfo has no number)."""
LONGEST_FOLDER = 512
"""Characters, of the 1,024 that a file path may have (docs/4/164295, ``FileName``)."""
_FOLDER = re.compile(r"(?:[A-Za-z0-9_\-][A-Za-z0-9_.\-]*/)*", re.ASCII)
_FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)


class StorageClass(IntEnum):
    """Where a film's bytes lie (``StorageClass`` of ApplyUploadInfo)."""

    STANDARD = 1
    ARCHIVE = 2
    INFREQUENT = 3


@dataclass(frozen=True, slots=True)
class Function:
    """What the service does with a film when it is committed (docs/4/164296).

    Attributes:
        name: GetMeta, Snapshot, AddOptionInfo, StartWorkflow …
        input: a JSON object; "" for none.
    """

    name: str
    input: str = ""

    def __post_init__(self) -> None:
        if not _FUNCTION.fullmatch(self.name):
            raise CommandError(f"functions has {self.name!r}: expected the name of one, such as GetMeta")
        try:
            is_object = isinstance(json.loads(self.input or "{}"), dict)
        except ValueError:
            is_object = False
        if not is_object:
            raise CommandError(f"the input of the function {self.name} is not an object of JSON")


GET_META = Function("GetMeta")
"""Reading the medium's length and codecs; with it a film that cannot be read is refused (docs/4/2916)."""


@dataclass(frozen=True, slots=True)
class VolcengineSettings:
    """A space of Volcengine VOD and what is asked of it.

    Attributes:
        name: in ``recpipe.toml``.
        space: its name.
        credentials: where they are.
        region: of the space.
        endpoint: ``https://HOST[:PORT]``, or http; "" for the region's own. Uploads use its scheme as well.
        folder: before every file path in the space; "" or with a "/" at its end.
        functions: at most one of a name.
        workflow: the id of a workflow template; "" for none.
        storage_class: of the bytes.
        callback_args: handed on to the service's own callbacks.
        ca_bundle: certificates to trust instead of the usual ones; None for those.

    Raises:
        CommandError: a field that cannot be what it says.
    """

    name: str
    space: str
    credentials: KeysInEnvironment
    region: str = HOME_REGION
    endpoint: str = ""
    folder: str = ""
    functions: tuple[Function, ...] = (GET_META,)
    workflow: str = ""
    storage_class: StorageClass = StorageClass.STANDARD
    callback_args: str = ""
    ca_bundle: Path | None = None

    def __post_init__(self) -> None:
        if not self.space or not self.space.isprintable() or " " in self.space:
            raise CommandError(
                "space is not the name of one: expected it as in the console of Volcengine VOD"
            )
        if not re.fullmatch(REGION, self.region, re.ASCII):
            raise CommandError(f"region is {self.region!r}: expected a region's id, such as {HOME_REGION}")
        if not _FOLDER.fullmatch(self.folder) or len(self.folder) > LONGEST_FOLDER:
            raise CommandError(
                f"folder is {self.folder!r}: expected letters, digits, '_', '-' and '.' between single "
                f"slashes, with a slash at the end, {LONGEST_FOLDER} characters at most"
            )
        if self.endpoint:
            host_of_endpoint(self.endpoint)
        names = [function.name for function in self.functions]
        if len(set(names)) < len(names):
            raise CommandError("functions has one of them twice: give each once")
        if self.workflow and "StartWorkflow" in names:
            raise CommandError("workflow and the function StartWorkflow are the same: give one of them")

    @property
    def origin(self) -> str:
        """Scheme and host of the calls (`volcengine/vod/VodServiceConfig.py` of the Python client)."""
        if self.endpoint:
            return self.endpoint.rstrip("/")
        if self.region == HOME_REGION:
            return "https://vod.volcengineapi.com"
        return f"https://vod.{self.region}.volcengineapi.com"

    @property
    def scheme(self) -> str:
        """Of the calls, and of the uploads, whose hosts are told without one."""
        return urlsplit(self.origin).scheme

    def told(self) -> str:
        """For sentences."""
        return f"Volcengine VOD {self.name} (space {self.space})"

    def functions_for(self, title: str) -> str:
        """The argument ``Functions`` of CommitUploadInfo for a film of this title.

        GetMeta stands in front (docs/4/2916, "注意事项"). A title that the settings give is kept.
        """
        inputs: dict[str, dict[str, Any]] = {f.name: json.loads(f.input or "{}") for f in self.functions}
        if self.workflow:
            inputs["StartWorkflow"] = {"TemplateId": self.workflow}
        if title:
            inputs["AddOptionInfo"] = {"Title": title[:LONGEST_TITLE], **inputs.get("AddOptionInfo", {})}
        names = sorted(inputs, key=lambda name: name != GET_META.name)
        asked = [{"Name": name, **({"Input": inputs[name]} if inputs[name] else {})} for name in names]
        return json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
