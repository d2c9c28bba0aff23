"""What threads and forked processes share of a connection, without a server."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.storage.client import Connection
from pipeline.storage.profiles import SWIFT
from pipeline.storage.stores import Keys, KeysInEnvironment, StoreSettings

if TYPE_CHECKING:
    import pytest

SETTINGS = StoreSettings(
    name="test",
    profile=SWIFT,
    bucket="bucket",
    region="us-east-1",
    endpoint="http://127.0.0.1:9",
    credentials=KeysInEnvironment("KEY", "SECRET"),
)


def connection() -> Connection:
    return Connection(SETTINGS, {"KEY": "k", "SECRET": "s"})


def test_threads_that_meet_the_same_expiry_all_go_on() -> None:
    there = connection()
    turn = there.turn
    there.answered(turn)
    assert [there.renew(turn) for _ in range(16)] == [True] * 16
    assert there.turn == turn + 1


def test_credentials_that_are_refused_when_they_are_new_are_not_asked_for_again() -> None:
    there = connection()
    assert there.renew(there.turn)
    assert [there.renew(there.turn) for _ in range(2)] == [False, False]


def test_a_later_expiry_is_one_more() -> None:
    there = connection()
    for _ in range(3):
        assert there.renew(there.turn)
        there.answered(there.turn)


def test_credentials_in_hand_are_never_asked_for_again() -> None:
    there = Connection(replace(SETTINGS, credentials=Keys("id", "secret", "token")), {})
    there.answered(there.turn)
    assert [there.renew(there.turn) for _ in range(2)] == [False, False]
    assert there.turn == 0


def test_credentials_in_hand_sign_and_are_in_no_text() -> None:
    keys = Keys("id-in-hand", "secret-in-hand", "token-in-hand")
    settings = replace(SETTINGS, credentials=keys)
    signer = Connection(settings, {"KEY": "k", "SECRET": "s"}).client()._request_signer
    used = signer._credentials.get_frozen_credentials()
    assert (used.access_key, used.secret_key, used.token) == ("id-in-hand", "secret-in-hand", "token-in-hand")
    assert "in-hand" not in repr(settings)


def test_a_client_is_made_once_a_turn() -> None:
    there = connection()
    old = there.client()
    assert there.client() is old
    there.renew(there.turn)
    assert there.client() is not old
    assert there.client() is there.client()


def test_a_process_that_is_forked_while_a_thread_makes_the_client_makes_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there, inside, on = connection(), threading.Event(), threading.Event()

    def slow() -> str:
        if multiprocessing.parent_process() is None:
            inside.set()
            on.wait(20)
        return "client"

    monkeypatch.setattr(there, "_made", slow)
    thread = threading.Thread(target=there.client)
    thread.start()
    assert inside.wait(20)
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: sender.send(there.client()), daemon=True)
    child.start()
    try:
        assert receiver.poll(20), "it hangs"
        assert receiver.recv() == "client"
    finally:
        on.set()
        thread.join()
        child.kill()
        child.join()
