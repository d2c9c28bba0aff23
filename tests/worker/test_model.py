"""The model that engines are compared with keeps the contract itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.worker.clocks import Hands
from tests.worker.contract import Contract, Handling, Parting
from tests.worker.model import Model
from tests.worker.watching import Watching


@dataclass(slots=True)
class Remembered:
    """A queue in memory, as the contract wants it."""

    hands: Hands = field(default_factory=Hands)
    engine: Model = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Model(self.hands)

    @property
    def utc_ms(self) -> int:
        return self.hands.utc_ms

    def beside(self) -> Model:
        mine = self.engine
        return Model(self.hands, mine.by_number, mine.leases, mine.unwanted, mine.last, mine.notes)

    def pass_ms(self, ms: int) -> None:
        self.hands.pass_ms(ms)


@pytest.fixture
def queue() -> Remembered:
    return Remembered()


class TestModel(Contract):
    pass


class TestModelHandling(Handling):
    pass


class TestModelWatching(Watching):
    pass


class TestModelParting(Parting):
    pass
