"""Figures of the whole market: read over HTTP on their own schedule, kept, told."""

from datetime import timedelta

import pytest

from cryptowatch.local.exchange.faults import html, status
from cryptowatch.local.exchange.figures import fear_and_greed, total_capitalisation
from cryptowatch.pipeline.dispatch import dispatch
from cryptowatch.pipeline.figures import metrics, read_source
from cryptowatch.sources.metrics import metric_source, metric_sources
from cryptowatch.store.database import transaction
from cryptowatch.store.metrics import save_figures, value_at, values_between

NAMES = ["alternative.me", "binance perpetuals", "coingecko"]


def read(world, name: str) -> str:
    return read_source(world.writer, world.clock, name, base_url=world.exchange.url, speed=1000)


def due(world, wanted: set[str] | None = None) -> list[str]:
    events: list[dict] = []
    dispatch(world.writer, world.clock, events.append, wanted)
    return [name for event in events for name in event.get("metrics", ())]


def value(world, name: str, ago: timedelta = timedelta(0)) -> float | None:
    with transaction(world.writer) as cursor:
        found = value_at(cursor, name, world.clock.now() - ago)
        return found.value if found else None


def test_a_source_of_metrics_is_a_module_and_no_two_give_the_same() -> None:
    assert [source.name for source in metric_sources()] == NAMES
    names = [name for source in metric_sources() for name in source.metrics]
    assert len(names) == len(set(names)) == 9
    assert metric_source("total_cap").name == "coingecko"
    assert metric_source("nothing") is None


def test_fear_and_greed_is_read_with_the_days_before(world) -> None:
    due(world)
    assert read(world, "alternative.me") == "done"
    now = world.clock.now()
    assert value(world, "fear_greed") == fear_and_greed(now)
    assert value(world, "fear_greed", timedelta(days=3)) == fear_and_greed(now - timedelta(days=3))
    assert value(world, "fear_greed", timedelta(days=60)) is None, "before the first that is known"


def test_totals_and_shares_are_read(world) -> None:
    due(world)
    assert read(world, "coingecko") == "done"
    assert value(world, "total_cap") == total_capitalisation(world.clock.now())
    assert 40 < value(world, "btc_dominance") < 70 and 10 < value(world, "eth_dominance") < 20


def test_funding_and_open_interest_are_read_through_ccxt(world) -> None:
    due(world)
    assert read(world, "binance perpetuals") == "done"
    assert abs(value(world, "btc_funding_rate")) < 0.05
    assert 70_000 < value(world, "btc_open_interest") < 90_000
    assert value(world, "eth_funding_rate") is not None


def test_each_source_is_asked_on_its_own_schedule(world) -> None:
    assert due(world) == NAMES
    for name in NAMES:
        read(world, name)
    assert due(world) == []
    world.clock.at += timedelta(minutes=5)
    assert due(world) == ["binance perpetuals"]
    world.clock.at += timedelta(minutes=25)
    assert due(world) == NAMES


def test_only_what_is_wanted_is_asked(world) -> None:
    assert due(world, {"fear_greed"}) == ["alternative.me"]
    assert due(world, set()) == []


@pytest.mark.parametrize(
    "fault", [status(500), html(), status(200, body={"data": [{"value": "x"}]}), status(200, body=[])]
)
@pytest.mark.parametrize(
    ("publisher", "name"), [("alternative", NAMES[0]), ("coingecko", NAMES[2]), ("binance", NAMES[1])]
)
def test_nothing_false_is_kept_and_the_source_is_well_again_afterwards(world, publisher: str, name: str, fault) -> None:
    due(world)
    world.exchange.inject(fault, publisher, times=1, asked="figures")
    assert read(world, name) == "unavailable"
    assert world.query("SELECT count(*) FROM metrics") == [(0,)]
    assert world.query("SELECT last_error IS NOT NULL FROM sources WHERE name = %s", name) == [(True,)]
    assert read(world, name) == "done"


def test_a_source_that_asks_to_be_left_alone_is(world) -> None:
    due(world)
    world.exchange.inject(status(429, {"Retry-After": "60000"}), "coingecko", times=1)
    assert read(world, "coingecko") == "unavailable"
    world.clock.at += timedelta(hours=1)
    assert due(world) == ["alternative.me", "binance perpetuals"]


def test_a_metric_is_shown_with_its_newest_value(world) -> None:
    due(world)
    read(world, "alternative.me")
    rows = {row["name"]: row for row in metrics(world.writer)["metrics"]}
    assert len(rows) == 9
    assert rows["fear_greed"]["value"] == fear_and_greed(world.clock.now())
    assert rows["fear_greed"]["values"] == 30
    assert rows["total_cap"]["value"] is None


def test_a_metric_holds_from_its_time_until_the_next(world) -> None:
    now = world.clock.now()
    times = [now - timedelta(hours=hours) for hours in (5, 3, 1)]
    with transaction(world.writer) as cursor:
        assert save_figures(cursor, [("m", time, float(number)) for number, time in enumerate(times)]) == 3
        assert save_figures(cursor, [("m", times[0], 0.0), ("m", times[1], 7.0)]) == 1
        assert value_at(cursor, "m", times[1] - timedelta(seconds=1)).value == 0.0
        assert value_at(cursor, "m", times[1]).value == 7.0
        between = values_between(cursor, "m", now - timedelta(hours=4), now)
        assert [one.value for one in between] == [0.0, 7.0, 2.0]
