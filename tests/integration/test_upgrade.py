"""An earlier commit's code and today's on one database: before, during and after an upgrade, and after going back."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from math import sin
from pathlib import Path
from typing import Any

import pytest

from cryptowatch.settings import Settings
from cryptowatch.store.database import connect
from cryptowatch.store.migrate import migrate, migrations
from tests.integration.conftest import MINUTE, World, empty_database

#: The last commit that knows the first schema alone.
EARLIER = "5f5d57a13df1f0ee2c5988a622f4694c6e4d6e65"
#: Does what its first argument names, with the others.
Does = Callable[..., Any]
CHECKOUT = Path(__file__).parents[2]
MARKETS = ("BTC/USDT", "ETH/USDT")
WATCHES: list[dict[str, Any]] = [
    {"name": "dip", "when": "close < sma(3)", "until": "close > sma(5)", "resolved": True},
    {"name": "weak", "when": "rsi(3) < 40", "repeat": "3m", "cooldown": "5m"},
    {"name": "twice", "when": "rising(close, 1)", "for": 2, "severity": "high"},
]
for _watch in WATCHES:
    _watch["markets"] = [f"binance:{symbol}" for symbol in MARKETS]


@pytest.fixture(scope="module")
def earlier_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    git = shutil.which("git")
    if git is None:
        pytest.skip("the earlier commit's code cannot be had: no git here")
    parts = ["cryptowatch", "workers", "tests/integration/conftest.py"]
    archive = subprocess.run([git, "archive", EARLIER, *parts], cwd=CHECKOUT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the earlier commit is not in this clone: {archive.stderr.decode().strip()}")
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


class Earlier:
    """The world of the earlier code, in a process of its own, which asks the exchange of today's world."""

    def __init__(self, code: Path, database: str, today: World) -> None:
        self._today = today
        # Without its log, which goes where the answers go.
        environment = {**os.environ, "PYTHONPATH": str(code), "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
        command = [sys.executable, "-P", str(Path(__file__).with_name("earlier.py")), database]
        self.process = subprocess.Popen(
            command, env=environment, cwd=code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, method: str, *arguments: Any) -> Any:
        world = self._today
        asked = {"exchange": world.exchange.url, "at": world.clock.at.isoformat(), "method": method}
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({**asked, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the earlier code's {method} failed"
        told = json.loads(line)
        world.emails += [(to, None) for to in told["emails"]]
        return told["result"]

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0


class Today:
    """Today's world, told what to do in the same way."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, method: str, *arguments: Any) -> Any:
        return getattr(self._world, method)(*arguments)


@contextmanager
def world_of(database: str) -> Iterator[World]:
    settings = Settings({"DATABASE_URL": database})
    with closing(connect(settings)) as writer, closing(connect(settings)) as reader:
        world = World(writer, reader)
        for place, symbol in enumerate(MARKETS):
            closes = [100 + 10 * sin(minute + place) + minute % 3 for minute in range(240)]
            gaps = {130 + place, 141, 142, 170}  # minutes without a trade
            world.record.trade(symbol, -120, [None if at in gaps else close for at, close in enumerate(closes)])
        with world.exchange:
            yield world


def minutes(world: World, count: int, functions: Does, *workers: Does) -> None:
    """Let time pass; the workers take turns."""
    for minute in range(count):
        world.clock.at += MINUTE
        functions("ingest")
        if alert_ids := workers[minute % len(workers)]("analyse"):
            functions("notify", alert_ids)


def told(world: World) -> list[tuple[Any, ...]]:
    """All there is to know of each alert and of what became of it."""
    return world.query(
        """
        SELECT watches.name, alerts.generation, symbol, open_time, kind, severity, rule, price, figures,
               recipient, decision, held_by, sent_at IS NOT NULL, attempts
        FROM alerts JOIN deliveries ON alert_id = alerts.id
        JOIN markets ON markets.id = market_id JOIN watches ON watches.id = watch_id ORDER BY 1, 3, 4, 5
        """
    )


def test_an_upgrade_and_a_way_back_change_no_alert(server: str, database: str, earlier_code: Path) -> None:
    with empty_database(server) as another, world_of(another) as expected:
        migrate(expected.writer)
        expected.apply(*WATCHES)
        minutes(expected, 40, Today(expected), Today(expected))
        alerts = told(expected)
    assert len(alerts) > 40

    with world_of(database) as world, closing(Earlier(earlier_code, database, world)) as earlier:
        today = Today(world)
        earlier("migrate")
        assert world.query("SELECT max(version) FROM schema_version") == [(1,)]
        earlier("apply", *WATCHES)
        minutes(world, 8, earlier, earlier)

        assert len(migrate(world.writer)) == len(migrations()) - 1  # control has the new code first, and migrates
        minutes(world, 6, earlier, earlier)
        minutes(world, 4, today, earlier, today)  # CloudFormation renews the functions, instances go one by one
        assert today("apply", *WATCHES)["unchanged"] == [one["name"] for one in WATCHES]
        minutes(world, 6, today, earlier, today)
        today("apply", *({**one, "note": "A key that the earlier code does not know."} for one in WATCHES))
        minutes(world, 4, today, today)

        today("apply", *WATCHES)  # and back: first without what the earlier code cannot read
        minutes(world, 4, earlier, today, earlier)
        assert earlier("apply", *WATCHES)["unchanged"] == [one["name"] for one in WATCHES]
        minutes(world, 4, earlier, earlier)
        minutes(world, 4, today, today)
        assert told(world) == alerts
        # Every email that went out is one that its alerts know of.
        assert world.query("SELECT count(DISTINCT email_id) FROM deliveries") == [(len(world.emails),)]
