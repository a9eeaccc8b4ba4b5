"""The loads of a preview are those of the live evaluation."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptowatch.alerts.episode import Episode
from cryptowatch.markets.interval import CHUNK, INTERVALS, interval_named
from cryptowatch.markets.panel import Rows, build_panel
from cryptowatch.pipeline.ready import ready_segments
from cryptowatch.store.evaluation import Frontier, Standing, StoredWatch
from cryptowatch.studies.history import History, MarketHistory
from cryptowatch.studies.moments import segments
from cryptowatch.watches.form import Watch

NEVER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "look_back", [{"5m": 20}, {"5m": 513}, {"5m": 14, "1h": 300}, {"5m": 1, "1h": 700, "1d": 30, "1w": 9}]
)
@given(first=st.integers(5_900_000, 5_903_000), length=st.integers(1, 9000))
@settings(max_examples=15, deadline=None)
def test_moments_are_cut_as_the_live_evaluation_cuts_them(look_back, first, length) -> None:
    watch = Watch(name="w", markets=("kraken:BTC/USD",), interval="5m", when="close > 1", notify=("me",))
    stored = StoredWatch(1, 1, watch, look_back)
    known = {name: {1: Frontier(0, 0, 10_000_000)} for name in look_back}
    known["5m"] = {1: Frontier(0, 0, first + length)}
    standing = Standing(1, 1, first, Episode())
    live = ready_segments(stored, standing, known, NEVER, most=length)
    ours = list(segments(look_back, INTERVALS["5m"], first, first + length - 1))
    starts = [tuple((name, start) for name, start, _ in one.loads) for one in ours]
    assert [(one.first, one.last) for one in ours] == [(one.first, one.last) for one in live]
    assert starts == [one.starts for one in live]


@pytest.mark.parametrize("name", ["5m", "1w"])
@given(seed=st.integers(0, 1000), chunks=st.integers(1, 3), columns=st.integers(1, CHUNK))
@settings(max_examples=25, deadline=None)
def test_a_panel_put_together_from_chunks_is_the_one_that_live_loads(name, seed, chunks, columns) -> None:
    interval = interval_named(name)
    chance = np.random.default_rng(seed)
    base = CHUNK * 40
    first, last = base + CHUNK * int(chance.integers(0, 3)), 0
    last = first + (chunks - 1) * CHUNK + columns - 1
    markets = {}
    for id_ in (3, 7):
        begins, ends = base + chance.integers(0, 900), base + chance.integers(900, 2600)
        steps = np.flatnonzero(chance.random(ends - begins) < 0.4) + begins
        end = interval.close_time(int(steps[-1]))
        markets[id_] = MarketHistory({name: Rows(steps, chance.random((len(steps), 5)), None)}, end)
    history = History(markets)
    history.panel(interval, first - CHUNK, first + 5, (3, 7))  # so that some chunks are there already
    history.forget()
    ours = history.panel(interval, first, last, (3, 7))
    rows, settled = {}, {}
    for id_, market in markets.items():
        known = market.candles[name]
        before = known.values[known.steps < first, 3]
        rows[id_] = Rows(known.steps, known.values, float(before[-1]) if len(before) else None)
        settled[id_] = int(known.steps[-1]) + 1
    live = build_panel(interval, first, last, rows, {}, settled)
    for array in ("open", "high", "low", "close", "volume", "filled"):
        np.testing.assert_array_equal(getattr(ours, array), getattr(live, array), err_msg=array)
    assert (ours.first_step, ours.width, ours.market_ids) == (live.first_step, live.width, live.market_ids)
    assert history.panel(interval, first, last, (3, 7)) is ours
