"""The OpenAPI document: each route of the app is in it, and what schemathesis asks by it finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pipeline.worker.allowed import Allowed
from pipeline.worker.operations.app import Operations
from pipeline.worker.operations.heard import Silence
from pipeline.worker.operations.openapi import DOCUMENT
from pipeline.worker.sqlite.engine import SqliteEngine
from tests.operations.listener import ALLOWED, Orders, listening, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.operations.listener import Listener

EXAMPLES = 40


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    folder = tmp_path_factory.mktemp("openapi")
    with listening(Orders(f"sqlite:{folder / 'queue.db'}", str(written(folder, ALLOWED)))) as listener:
        yield listener


def test_every_route_is_in_the_document_with_its_methods(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "queue.db")
    routes = Operations(engine, Allowed(), Silence(), None).asgi.routes
    told: dict[str, Any] = DOCUMENT["paths"]
    assert {route.path: {m.lower() for m in route.methods or () if m != "HEAD"} for route in routes} == {  # type: ignore[attr-defined]  # all of them are routes
        path: set(operations) for path, operations in told.items()
    }
    engine.close()


schema = schemathesis.pytest.from_fixture("described")


@pytest.fixture(scope="module")
def described(there: Listener) -> Any:
    return schemathesis.openapi.from_url(f"{there.url}/openapi.json")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_is_answered_as_the_document_says(case: Any) -> None:
    # A schema cannot say which stores are named, nor what is a moment: a job of its form may be refused.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


def test_the_listener_tells_its_document(there: Listener) -> None:
    assert there.ask("/openapi.json").document == DOCUMENT
