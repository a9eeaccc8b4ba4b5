"""What `doctor` says of a stack's own status, and how `logs` shows a line."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cryptowatch.deploy.doctor import _recipients, _schema, _sources, _workers
from cryptowatch.deploy.logs import in_words
from cryptowatch.store.migrate import migrations

NEWEST = max(number for number, _, _ in migrations())


@pytest.mark.parametrize(
    ("version", "level", "advice"),
    [
        (NEWEST, "ok", ""),
        (NEWEST - 1, "failed", "cryptowatch migrate --stack mine"),
        (None, "failed", "cryptowatch migrate --stack mine"),
        (NEWEST + 1, "warning", "newer than this checkout's"),
    ],
)
def test_the_schema_is_compared_with_this_checkout(version: int | None, level: str, advice: str) -> None:
    (finding,) = _schema("mine", {"schema_version": version})
    assert finding.level == level
    assert advice in finding.text


def test_recipients_who_get_nothing_or_can_lose_it_by_a_click_are_named() -> None:
    people = [("ann", True, False), ("bob", False, False), ("eve", True, True)]
    rows = [{"name": name, "confirmed": confirmed, "by_click": click} for name, confirmed, click in people]
    waiting, clicked = _recipients({"recipients": rows})
    assert (waiting.level, clicked.level) == ("failed", "warning")
    assert "they get nothing: bob. " in waiting.text
    assert clicked.text.endswith("ends it: eve")


def test_a_group_that_somebody_has_removed_is_told() -> None:
    clients = SimpleNamespace(region="eu-central-1", client=lambda _: SimpleNamespace(
        describe_auto_scaling_groups=lambda **_: {"AutoScalingGroups": []}
    ))  # fmt: skip
    (finding,) = _workers(clients, "gone")
    assert finding.level == "failed"
    assert "gone" in finding.text


def test_a_source_that_lags_is_stale() -> None:
    rows: list[dict[str, Any]] = [
        {"name": "kraken", "lag_seconds": 301.0, "last_error": "time-out"},
        {"name": "binance", "lag_seconds": None, "last_error": None},
    ]
    (finding,) = _sources({"sources": rows})
    assert finding.text == "kraken is 301 s behind, last error: time-out: `cryptowatch logs ingest`"
    assert [one.level for one in _sources({"sources": rows[1:]})] == ["ok"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps({"level": "INFO", "message": "stored", "candles": 3, "service": "ingest", "cold_start": True}),
         "INFO    stored  candles=3"),
        ("Task timed out after 30 s", "Task timed out after 30 s"),
        ('{"time": 1}', '{"time": 1}'),
    ],
)  # fmt: skip
def test_a_line_of_a_json_log_is_shown_for_a_reader(text: str, expected: str) -> None:
    assert in_words({"timestamp": 1_772_366_400_000, "from": "ingest", "text": text}) == (
        f"03-01 12:00:00 ingest   {expected}"
    )
