"""Runs with the code of an earlier commit: the `World` of its tests, doing what a test of today tells it.

`python earlier.py DATABASE_URL`, with that commit's code first in PYTHONPATH. A line in: the exchange's URL, the time,
a method of World and its arguments. A line out: what it gave, and the emails it sent.
"""

import json
import sys
from contextlib import closing
from datetime import datetime
from types import SimpleNamespace

from cryptowatch.settings import Settings
from cryptowatch.store.database import connect
from cryptowatch.store.migrate import migrate
from tests.integration.conftest import MovableClock, World
from workers import tasks


class SettingsOf(Settings):
    """Those of a worker on the world's database, by the world's clock."""

    def __init__(self, world: World) -> None:
        super().__init__({"DATABASE_URL": sys.argv[1]})
        self._world = world

    @property
    def clock(self) -> MovableClock:
        return self._world.clock


def analyse(world: World) -> list[int]:
    """Give the worker's task a message as today's functions send it; gives the new alerts' ids."""
    alert_ids: list[int] = []
    tasks._queue_alerts = alert_ids.extend
    markets = [market_id for (market_id,) in world.query("SELECT id FROM markets ORDER BY id")]
    tasks.analyse_markets.run(version=1, interval_s=60, market_ids=markets, wal="0/0")
    return alert_ids


def main() -> None:
    settings = Settings({"DATABASE_URL": sys.argv[1]})
    with closing(connect(settings)) as writer, closing(connect(settings)) as reader:
        world = World(writer, reader)
        world.migrate = lambda: migrate(writer)
        world.analyse = lambda: analyse(world)
        tasks._settings = SettingsOf(world)
        for line in sys.stdin:
            asked = json.loads(line)
            world.clock.at = datetime.fromisoformat(asked["at"])
            world.exchange = SimpleNamespace(url=asked["exchange"])
            world.emails.clear()
            result = getattr(world, asked["method"])(*asked["arguments"])
            emails = [to for to, _ in world.emails]
            print(json.dumps({"result": result, "emails": emails}), flush=True)


if __name__ == "__main__":
    main()
