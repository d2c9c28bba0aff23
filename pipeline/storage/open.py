"""The one place that chooses: a store of settings, checked and patient, below its prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.storage.below import Below
from pipeline.storage.client import Connection
from pipeline.storage.retrying import PATIENT, Patience, Retrying
from pipeline.storage.s3 import S3Store
from pipeline.storage.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.storage.stores import StoreSettings


def open_store(
    settings: StoreSettings, environ: Mapping[str, str], patience: Patience | None = None
) -> Below:
    """The store; nothing is asked of it yet.

    Args:
        settings: of the store; its prefix is the root of what comes back.
        environ: where the variables are that the settings name.
        patience: for each call; None for the usual one.
    """
    store = S3Store(settings, Connection(settings, environ))
    return Below(Retrying(Verified(store), patience or PATIENT), settings.prefix)
