"""From the name of a VOD service in ``recpipe.toml`` to the service; the libraries for it are loaded here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.publish.protocol import Vod
    from pipeline.storage.settings import Settings


def open_vod(name: str, settings: Settings, environ: Mapping[str, str]) -> Vod:
    """The service; nothing is asked of it yet.

    Args:
        name: of its table, ``[vod.NAME]``.
        settings: of the file.
        environ: where the variables are that the table names.

    Raises:
        CommandError: no such table, or one that `pipeline.publish.settings.vod_settings` refuses.
    """
    from pipeline.publish.settings import vod_settings
    from pipeline.publish.tencent.settings import TencentSettings

    found = vod_settings(settings)
    if name not in found:
        known = (
            f"{settings.source} has {', '.join(found) or 'none'}"
            if settings.source
            else "no recpipe.toml was found"
        )
        raise CommandError(f"there is no VOD service {name!r}: {known}")
    chosen = found[name]
    if isinstance(chosen, TencentSettings):
        from pipeline.publish.tencent.vod import TencentVod

        return TencentVod(chosen, environ)
    from pipeline.publish.volcengine.vod import VolcengineVod

    return VolcengineVod(chosen, environ)
