"""History as the command line asks the control function for it."""

from datetime import UTC, datetime
from typing import Any

from cryptowatch.clock import FixedClock
from cryptowatch.pipeline.control import Control
from cryptowatch.queues import StudiesQueue
from cryptowatch.settings import Settings

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
HOUR = 3600
LAST = int(datetime(2026, 3, 2, 11, tzinfo=UTC).timestamp())


def test_history_is_backfilled_imported_and_exported_by_requests_of_plain_data(connection, monkeypatch) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(StudiesQueue, "send", lambda _, name, **told: sent.append((name, told)))
    settings = Settings({"STUDIES_QUEUE_URL": "https://queue/studies", "CANDLE_RETENTION": "1m=90"})
    control = Control(connection, FixedClock(NOW), settings, None, None)
    asked = {"markets": ["kraken:ETH/BTC"], "interval": "1h", "since": "30d", "cancel": False}
    (row,) = control.answer({"action": "backfill", "backfill": asked})["backfills"]
    assert (row["market"], row["interval"], row["state"]) == ("kraken:ETH/BTC", "1h", "open")
    assert row["since"] == "2026-01-31T12:00:00+00:00"
    assert sent == [("backfill", {"source": "kraken"})]

    rows = [[LAST - at * HOUR, 100.0, 101.5, 99.25, 100.1, 0.1 + 0.2] for at in (5, 4, 2, 1, 0)]
    batch = {"market": "kraken:ETH/BTC", "interval": "1h", "candles": rows, "until": "2026-03-02T12:00:00+00:00"}
    assert control.answer({"action": "import", "import": batch})["new"] == 5
    wanted = {"market": "kraken:ETH/BTC", "interval": "1h", "since": "2026-01-01", "before": "2026-04-01"}
    taken = control.answer({"action": "export", "export": wanted})["candles"]
    assert [list(one) for one in taken] == rows
