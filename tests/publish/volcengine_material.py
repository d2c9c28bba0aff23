"""Films and spaces for the tests of Volcengine VOD, and a publishing that runs in a process of its own.

``python -m tests.publish.volcengine_material ENDPOINT FILM NOTES`` publishes a file and prints the medium's
id; NOTES is the file in which it keeps what it notes. The login is in the environment.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.publish.protocol import Film
from pipeline.publish.volcengine.settings import VolcengineSettings
from pipeline.publish.volcengine.vod import VolcengineVod
from pipeline.storage.retrying import Patience
from pipeline.storage.stores import KeysInEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.publish.volcengine_fake import VolcengineFake
    from tests.publish.volcengine_space import Login

PART = 1 << 16
QUICK = Patience(seconds=5.0, first=0.01, longest=0.02)
SHORT = Patience(seconds=0.3, first=0.01, longest=0.02)
ENV = KeysInEnvironment("VOD_KEY", "VOD_SECRET")
ENV_WITH_TOKEN = KeysInEnvironment("VOD_KEY", "VOD_SECRET", "VOD_TOKEN")
NAME = "user 42_2026+1.mp4"


def film(size: int = 1000, *, file: str = NAME, title: str = "Call of Monday", seed: int = 1) -> Film:
    """A film of bytes that its seed tells."""
    return film_of(random.Random(seed).randbytes(size), file, title)  # noqa: S311 - material, no secret


def film_of(data: bytes, file: str = NAME, title: str = "Call of Monday") -> Film:
    """A film in memory."""
    digest = hashlib.sha256(data).hexdigest()
    return Film(file=file, title=title, size=len(data), sha256=digest, open=lambda: io.BytesIO(data))


def environ(login: Login) -> dict[str, str]:
    """Where the settings look for the login."""
    token = {"VOD_TOKEN": login.token} if login.token else {}
    return {"VOD_KEY": login.access_key, "VOD_SECRET": login.secret_key, **token}


def settings(fake: VolcengineFake, **changed: Any) -> VolcengineSettings:
    """Of the fake's space; with what a test wants otherwise."""
    space = fake.space
    given = {
        "name": "main",
        "space": space.name,
        "credentials": ENV_WITH_TOKEN if space.login.token else ENV,
        "region": space.region,
        "endpoint": fake.endpoint,
        "ca_bundle": fake.ca,
    }
    return VolcengineSettings(**{**given, **changed})


def vod(
    fake: VolcengineFake, *, patience: Patience = QUICK, part: int = PART, **changed: Any
) -> VolcengineVod:
    """The fake's space as publishing sees it."""
    made = settings(fake, **changed)
    return VolcengineVod(made, environ(fake.space.login), patience=patience, part=part)


@dataclass(slots=True)
class Journal:
    """Keeps what is noted, in the order in which it was."""

    notes: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, noted: Mapping[str, str]) -> None:
        self.notes.append(dict(noted))

    @property
    def last(self) -> dict[str, str]:
        """What a later try is given."""
        return self.notes[-1] if self.notes else {}

    @property
    def stages(self) -> list[str]:
        """How far it came."""
        return [noted["stage"] for noted in self.notes]


def kept(path: Path) -> dict[str, str]:
    """What a process has noted."""
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def keep(path: Path, noted: Mapping[str, str]) -> None:
    """Note for another process; the file is whole at every moment."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(dict(noted)), encoding="utf-8")
    beside.replace(path)


def main(endpoint: str, film_path: str, notes_path: str) -> None:
    """Publish in this process."""
    made = VolcengineSettings(name="main", space="films", credentials=ENV, endpoint=endpoint)
    notes, given = Path(notes_path), film_of(Path(film_path).read_bytes())
    there = VolcengineVod(made, os.environ, patience=QUICK, part=PART)
    medium = there.publish(given, kept(notes), lambda noted: keep(notes, noted))
    sys.stdout.write(f"{medium.id}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
