"""Volcengine VOD as publishing knows it: a space with its settings, credentials and connections."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from pipeline.errors import StorageError
from pipeline.publish.protocol import Medium
from pipeline.publish.volcengine.calls import Calls
from pipeline.publish.volcengine.once import Once, Place
from pipeline.publish.volcengine.upload import PART, Sending
from pipeline.publish.volcengine.wire import Wire
from pipeline.storage.retrying import PATIENT, Patience, again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.publish.protocol import Film
    from pipeline.publish.volcengine.answers import Address
    from pipeline.publish.volcengine.settings import VolcengineSettings

CHECK = Patience(seconds=10.0)
LONGEST_NAME = 200
"""Characters of a film's name in its path, which may have 1,024 (docs/4/164295, ``FileName``)."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._\-]+", re.ASCII)


class VolcengineVod:
    """A space: `pipeline.publish.protocol.Vod`.

    Args:
        settings: of the space.
        environ: where the variables are that the settings name.
        patience: for each request.
        now: seconds since 1970.
        part: bytes of a part.

    Raises:
        CommandError: a variable is not set.
        DeniedError: credentials that no header can hold.
    """

    def __init__(
        self,
        settings: VolcengineSettings,
        environ: Mapping[str, str] = os.environ,
        *,
        patience: Patience = PATIENT,
        now: Callable[[], float] = time.time,
        part: int = PART,
    ) -> None:
        keys = settings.credentials.read(environ)
        self._settings = settings
        self._patience = patience
        self._part = part
        self._wire = Wire(settings.told(), keys, settings.ca_bundle)
        self._calls = Calls(settings, keys, self._wire, now)

    def __repr__(self) -> str:
        return f"VolcengineVod({self._settings!r})"

    @property
    def name(self) -> str:
        """As `Vod.name`."""
        return self._settings.told()

    def check(self) -> None:
        """As `Vod.check`: asks for the medium of a path that no film has, as publishing asks for others."""
        again(lambda: self._calls.find(f"{self._settings.folder}recpipe-check"), CHECK)

    def publish(
        self, film: Film, begun: Mapping[str, str], note: Callable[[Mapping[str, str]], None]
    ) -> Medium:
        """As `Vod.publish`; a film that the space has already is not sent."""
        if not film.size:
            raise StorageError(f"{film.file} is empty: {self.name} takes no empty film.")
        place = Place(self.name, self._settings.origin, self._settings.space, self.path_of(film))

        def send(address: Address) -> None:
            Sending(
                self._wire,
                address,
                scheme=self._settings.scheme,
                storage=self._settings.storage_class,
                patience=self._patience,
                part=self._part,
            ).send(film)

        return Medium(Once(film, place, self._calls, send, note=note, patience=self._patience).medium(begun))

    def path_of(self, film: Film) -> str:
        """Its file path in the space: always the same for a film, and no other film's.

        It has only what every page allows: an older one (docs/4/2915) refuses spaces, "+", "?" and "$".
        """
        stem, dot, suffix = _UNSAFE.sub("-", film.file).rpartition(".")
        name = (stem.strip("-.") or "film")[:LONGEST_NAME]
        return f"{self._settings.folder}{film.sha256}/{name}{dot}{suffix[:LONGEST_NAME]}"
