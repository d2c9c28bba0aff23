"""An order that exists can be kept by every queue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.worker.queue.jobs import LAST_MS, MOST_NUMBER, MOST_SMALL, Needs, Order

GOOD = Order("a call", "{}")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"key": ""}, "a key and a document", id="no key"),
        pytest.param({"document": ""}, "a key and a document", id="no document"),
        pytest.param({"priority": MOST_SMALL + 1}, "priority", id="a priority too large"),
        pytest.param({"priority": -MOST_SMALL - 1}, "priority", id="a priority too small"),
        pytest.param({"not_before_ms": -1}, "times", id="a begin before 1970"),
        pytest.param({"not_before_ms": LAST_MS + 1}, "times", id="a begin after 9999"),
        pytest.param({"deadline_ms": 1 << 63}, "times", id="a deadline that no engine keeps"),
        pytest.param({"needs": Needs(MOST_SMALL + 1)}, "needs", id="too many cores"),
        pytest.param({"needs": Needs(1, MOST_NUMBER + 1)}, "needs", id="too much memory"),
        pytest.param({"needs": Needs(1, 0, -1)}, "needs", id="a disk below nothing"),
        pytest.param({"vendor": "v" * 64}, "vendor", id="a vendor of many characters"),
    ],
)
def test_what_no_queue_could_keep_is_no_order(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(GOOD, **changed)
