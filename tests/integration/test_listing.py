"""What a source lists decides what a star stands for, each hour anew."""

from datetime import timedelta

import pytest

from cryptowatch.store.status import delisted_markets
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, Selection, Watch

HOUR = timedelta(hours=1)


def watch_star(world, *names: str, exclude: tuple[str, ...] = (), markets: tuple[str, ...] = ()) -> None:
    """Apply a watch whose list says these names, found to be these markets."""
    from cryptowatch.pipeline.catalog import ExchangeCatalog
    from cryptowatch.store.database import transaction
    from cryptowatch.store.recipients import Recipient, save_recipient
    from cryptowatch.store.watches import apply_watches

    watch = Watch.model_validate(
        {"name": "star", "interval": "1m", "when": "close > 110", "notify": ["me"], "markets": list(markets)}
    )
    selection = Selection(markets=names, exclude=exclude)
    checked = CheckedWatch(watch=watch, look_back={"1m": 1}, selection=selection)
    with transaction(world.writer) as cursor:
        save_recipient(cursor, Recipient("me", "me@example.com", None))
        apply_watches(
            cursor,
            CheckedWatchList(recipients={"me": "me@example.com"}, watches=(checked,)),
            world.clock.now(),
            ExchangeCatalog(offline=True).intervals,
        )


def watched(world) -> list[str]:
    return [row[0] for row in world.query("SELECT symbol FROM watch_state JOIN markets ON id = market_id ORDER BY 1")]


def trade(world, *symbols: str, volume_of: dict[str, int] | None = None) -> None:
    for symbol in symbols:
        world.record.trade(symbol, -90, [100.0] * (volume_of or {}).get(symbol, 90))


def pass_time(world, source: str, hours: int = 1) -> None:
    world.clock.at += hours * HOUR
    assert world.ingest(source) == "done"


@pytest.fixture(params=["binance", "coinbase", "kraken"])
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_new_listing_joins_and_its_start_is_recorded(world, source: str) -> None:
    trade(world, "ADA/USDT", "BTC/USDT", "BTC/EUR")
    watch_star(world, f"{source}:*/USDT", markets=(f"{source}:ADA/USDT", f"{source}:BTC/USDT"))
    pass_time(world, source)
    assert watched(world) == ["ADA/USDT", "BTC/USDT"]
    world.record.trade("SOL/USDT", 30, [100.0] * 90)
    pass_time(world, source)
    assert watched(world) == ["ADA/USDT", "BTC/USDT", "SOL/USDT"]
    ((start, series),) = world.query(
        "SELECT start_time, (SELECT count(*) FROM series WHERE series.market_id = watch_state.market_id)"
        " FROM watch_state JOIN markets ON id = market_id WHERE symbol = 'SOL/USDT'"
    )
    assert (start, series) == (world.clock.at.replace(second=0), 1)
    assert world.query("SELECT definition -> 'markets' ->> 2 FROM watches") == [(f"{source}:SOL/USDT",)]


def test_what_is_excluded_does_not_join(world) -> None:
    trade(world, "ADA/USDT", "BTC/USDT", "SOL/USDT")
    watch_star(world, "binance:*/USDT", exclude=("binance:S*/USDT",), markets=("binance:ADA/USDT",))
    pass_time(world, "binance")
    assert watched(world) == ["ADA/USDT", "BTC/USDT"]


def test_a_market_that_is_delisted_leaves_its_star_and_is_named(world) -> None:
    trade(world, "ADA/USDT", "BTC/USDT", "SOL/USDT")
    names = ("binance:ADA/USDT", "binance:BTC/USDT", "binance:SOL/USDT")
    watch_star(world, "binance:*/USDT", markets=names)
    pass_time(world, "binance")
    world.exchange.vanish("binance", "SOL/USDT")
    pass_time(world, "binance")
    assert watched(world) == ["ADA/USDT", "BTC/USDT"]
    (gone,) = delisted_markets(world.writer, world.clock.now())
    assert gone["market"] == "binance:SOL/USDT"
    world.exchange.heal()
    pass_time(world, "binance")
    assert watched(world) == ["ADA/USDT", "BTC/USDT", "SOL/USDT"]
    assert delisted_markets(world.writer, world.clock.now()) == []


def test_a_market_that_a_watch_names_is_not_asked_for_while_it_is_not_listed(world) -> None:
    trade(world, "ADA/USDT", "BTC/USDT")
    world.apply({"when": "close > 110"})
    pass_time(world, "binance")
    world.exchange.vanish("binance", "ADA/USDT")
    pass_time(world, "binance")
    world.exchange.log.clear()
    world.clock.at += timedelta(minutes=1)
    assert world.ingest() == "done"
    assert {one.symbol for one in world.exchange.log if one.asked == "candles"} == {"BTC/USDT"}
    assert watched(world) == ["ADA/USDT", "BTC/USDT"], "the watch has its state still"
    assert world.query("SELECT count(*) FROM series WHERE last_error IS NOT NULL") == [(0,)]
    world.exchange.heal()
    pass_time(world, "binance")
    assert {one.symbol for one in world.exchange.log if one.asked == "candles"} == {"ADA/USDT", "BTC/USDT"}


def test_a_market_that_is_called_otherwise_is_reported(world) -> None:
    trade(world, "ADA/USDT", "BTC/USDT")
    world.apply({"when": "close > 110"})
    pass_time(world, "binance")
    world.query("UPDATE markets SET symbol = 'OLD/USDT' WHERE symbol = 'ADA/USDT' RETURNING 1")
    pass_time(world, "binance")
    (gone,) = delisted_markets(world.writer, world.clock.now())
    assert (gone["market"], gone["renamed_to"]) == ("binance:OLD/USDT", "binance:ADA/USDT")


def test_a_list_without_most_markets_is_not_believed(world) -> None:
    symbols = [f"C{number}/USDT" for number in range(6)]
    trade(world, *symbols)
    world.apply({"when": "close > 110"})
    pass_time(world, "binance")
    for symbol in symbols[:4]:
        world.exchange.vanish("binance", symbol)
    pass_time(world, "binance")
    assert delisted_markets(world.writer, world.clock.now()) == []


def test_the_markets_that_trade_most_are_found_anew(world, source: str) -> None:
    trade(world, "ADA/USDT", "BTC/USDT", "SOL/USDT", volume_of={"SOL/USDT": 30, "ADA/USDT": 60})
    name = f"{source}:top 2 */USDT by volume"
    watch_star(world, name, markets=(f"{source}:SOL/USDT",))
    pass_time(world, source)
    assert watched(world) == ["ADA/USDT", "BTC/USDT"]
    world.record.trade("SOL/USDT", -60, [100.0] * 120)
    pass_time(world, source)
    assert watched(world) == ["BTC/USDT", "SOL/USDT"]


def test_the_list_is_read_once_an_hour_and_candles_though_it_cannot_be(world) -> None:
    from cryptowatch.local.exchange.faults import status

    trade(world, "BTC/USDT")
    world.apply({"when": "close > 110"})
    pass_time(world, "binance")
    assert world.query("SELECT listed_at FROM sources WHERE name = 'binance'") == [(world.clock.at,)]
    world.exchange.inject(status(500), "binance", asked="markets", times=None)
    world.clock.at += timedelta(minutes=1)
    world.ingest()
    assert world.query("SELECT listed_at FROM sources WHERE name = 'binance'") == [
        (world.clock.at - timedelta(minutes=1),)
    ]
