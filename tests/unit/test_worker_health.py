"""A worker gives signs of life while it asks for work or has some, and not because its process is there."""

import socket
import time
from pathlib import Path

import pytest
from celery.worker import state

from workers import health


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "analysis"


def test_a_worker_that_asks_the_queue_lives(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_asked", time.monotonic())
    health.beat([file])
    assert file.exists()


def test_a_loop_that_turns_and_asks_for_nothing_hangs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_asked", time.monotonic() - health.SILENT_S - 1)
    health.beat([file])
    assert not file.exists()


def test_a_worker_with_a_long_task_in_hand_lives(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_asked", time.monotonic() - health.SILENT_S - 1)
    monkeypatch.setattr(state, "reserved_requests", {"a task"})
    health.beat([file])
    assert file.exists()


def test_the_channel_notes_when_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_asked", 0.0)
    monkeypatch.setattr("kombu.transport.SQS.Channel._get_async", lambda self, queue: f"asked {queue}")
    channel = health.Channel.__new__(health.Channel)
    assert channel._get_async("analysis") == "asked analysis"
    assert health._asked > 0


def test_systemds_watchdog_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setattr(health, "_asked", time.monotonic())
        health.beat([])
        assert systemd.recv(100) == b"WATCHDOG=1"
