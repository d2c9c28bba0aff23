"""Where ``recpipe.toml`` is looked for, reading it, and which store an address means.

Reading the file is the only effect here. What its text means is in `settings_toml`, loaded only where there
is a file: its schema library takes 0.1 s.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipeline.errors import CommandError
from pipeline.storage.stores import environment_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.storage.address import StoreAddress
    from pipeline.storage.stores import StoreSettings

NAME = "recpipe.toml"
MOST_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says.

    Attributes:
        source: the file, for messages; "" where there is none.
        stores: by name.
        vod: the tables ``[vod.NAME]`` as they are written, for `pipeline.publish.settings`.
        operations: the table ``[operations]`` as written, for `pipeline.worker.serve.operations.settings`.
        serve: the table ``[serve]`` as written, for `pipeline.worker.serve.inbox.settings`.
    """

    source: str = ""
    stores: Mapping[str, StoreSettings] = field(default_factory=lambda: MappingProxyType({}))
    vod: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    operations: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    serve: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def store_of(self, address: StoreAddress, environ: Mapping[str, str]) -> StoreSettings:
        """The store of an address, its prefix the whole one: the store's own and the address's.

        Raises:
            CommandError: no such store, or what `environment_store` raises.
        """
        if not address.store:
            return replace(environment_store(address.bucket, environ), prefix=address.prefix)
        if address.store not in self.stores:
            known = (
                f"{self.source} has {', '.join(self.stores) or 'none'}"
                if self.source
                else f"no {NAME} was found"
            )
            raise CommandError(
                f"there is no store {address.store!r}: {known}; write ./{address} if it is a folder"
            )
        store = self.stores[address.store]
        return replace(store, prefix=store.prefix + address.prefix)


def read_settings(config: str | None, environ: Mapping[str, str]) -> Settings:
    """Read the file that `candidates` finds first; no file is no error unless it was named.

    Args:
        config: the value of ``--config``; None where it was not given.
        environ: the environment.

    Raises:
        CommandError: a named file that is not there, one that cannot be read, and whatever
            `settings_toml.parse_settings` raises.
    """
    named, places = candidates(config, environ)
    for place in places:
        try:
            with place.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CommandError(
                f"{place} cannot be read: {error.strerror}; mend it or name another file"
            ) from error
        if len(data) > MOST_BYTES:
            raise CommandError(f"{place} is over 1 MiB: expected the settings of a few stores")
        from pipeline.storage.settings_toml import parse_settings

        try:
            return parse_settings(data.decode(), place)
        except UnicodeDecodeError:
            raise CommandError(f"{place} is not UTF-8 text: expected TOML") from None
    if named:
        raise CommandError(f"{places[0]}, which {named} names, is not there: expected a {NAME}")
    return Settings()


def candidates(config: str | None, environ: Mapping[str, str]) -> tuple[str, tuple[Path, ...]]:
    """Where the file is looked for, first place first, and by what it was named ("" for not at all).

    ``--config``, else ``RECPIPE_CONFIG``, else the working folder and then ``$XDG_CONFIG_HOME/recpipe``, by
    default ``~/.config/recpipe``; a relative XDG_CONFIG_HOME does not count, as its specification says.
    """
    if config is not None:
        return "--config", (Path(config),)
    if environ.get("RECPIPE_CONFIG"):
        return "RECPIPE_CONFIG", (Path(environ["RECPIPE_CONFIG"]),)
    home = environ.get("HOME", "")
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = f"{home}/.config" if home.startswith("/") else ""
    return "", (Path(NAME), *([Path(base) / "recpipe" / NAME] if base else []))
