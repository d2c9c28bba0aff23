"""How many deliveries came in by route, and what became of them: what the metrics print."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Counts:
    """Numbers since the process began. Any thread may count and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: Counter[tuple[str, str]] = Counter()

    def add(self, route: str, outcome: str) -> None:
        """Count one.

        Args:
            route: ``agora``, ``trtc``, ``tuicallkit``, ``volcengine``, ``s3``.
            outcome: ``new``, ``duplicate``, ``unknown``, ``old`` of events that were taken, or the status
                with which a delivery was refused.
        """
        with self._lock:
            self._numbers[route, outcome] += 1

    def numbers(self) -> Mapping[tuple[str, str], int]:
        """By route and outcome; those that are none are left out."""
        with self._lock:
            return dict(self._numbers)
