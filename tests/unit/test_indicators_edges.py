"""What holds for every indicator of the catalogue at the edge of what it may be given."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.references import Candles
from bench.references.generated import MIDNIGHT, defaults, flat, join, market, markets, panel, short, values
from cryptowatch.indicators import CATALOGUE, BadParameterError, find
from cryptowatch.indicators.catalogue import Parameter, forgets
from cryptowatch.indicators.smoothing import standstill
from cryptowatch.indicators.windows import mean_of_three
from cryptowatch.markets.panel import Floats

every_entry = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
both = pytest.mark.parametrize("choose", [short, defaults])
few = settings(max_examples=20, deadline=None, derandomize=True)

#: Prices with ties and with whatever else there may be.
price = st.one_of(st.sampled_from([100.0, 100.5, 101.0]), st.floats(1e-12, 1e9))
volume = st.one_of(st.just(0.0), st.floats(0, 1e12))


@st.composite
def any_candles(draw: st.DrawFn) -> Candles:
    rows = draw(st.lists(st.tuples(price, price, price, price, volume), max_size=40))
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    high, low = table[:, :4].max(axis=1), table[:, :4].min(axis=1)
    seconds = draw(st.sampled_from([60, 28800]))
    return Candles(table[:, 0], high, low, table[:, 3], table[:, 4], MIDNIGHT + seconds * np.arange(float(len(rows))))


@every_entry
@given(any_candles())
@few
def test_no_candles_give_an_infinite_value_or_an_exception(entry, candles) -> None:
    for output, each in values(entry, short(entry), candles).items():
        assert each.shape == (1, len(candles))
        assert not np.isinf(each).any(), output


@both
@pytest.mark.parametrize("style", ["wild", "still"])
@every_entry
def test_long_loads_of_extremes_give_no_infinite_value(entry, style, choose) -> None:
    for seed in range(3):
        for output, each in values(entry, choose(entry), market(600, seed, style)).items():
            assert not np.isinf(each).any(), output


@every_entry
def test_nothing_but_zero_prices_or_the_same_price_is_no_mishap(entry) -> None:
    for level, amount in ((0.0, 0.0), (0.0, 5.0), (7.0, 0.0), (1e-300, 1e-300), (1e300, 1e300)):
        for output, each in values(entry, short(entry), flat(60, level, amount)).items():
            assert not np.isinf(each).any(), output


@every_entry
@given(markets(60, 60), st.data())
@settings(few, suppress_health_check=[HealthCheck.filter_too_much])
def test_any_allowed_parameters_give_values_of_the_right_shape(entry, known, data) -> None:
    chosen = {one.name: data.draw(parameter_value(one), label=one.name) for one in entry.parameters}
    assume(all(chosen[less] < chosen[more] for less, more in pairwise(entry.ascending)))
    parameters = entry.bind((), chosen)
    interval_s = int(known[0].time[1] - known[0].time[0])
    for output, each in values(entry, parameters, *known).items():
        first = entry.warm_up(parameters, output, interval_s)
        assert 0 <= first < entry.look_back(parameters, interval_s)
        assert each.shape == (len(known), 60)
        assert not np.isinf(each).any(), output
        assert np.isnan(each[:, :first]).all(), output


def parameter_value(one: Parameter) -> st.SearchStrategy[float]:
    least, most = one.least, min(one.most, 80 if one.whole else one.most)
    near = [one.least, one.default, one.most]
    if one.whole:
        return st.one_of(st.sampled_from(near), st.integers(int(least), int(max(least, most))))
    return st.one_of(st.sampled_from(near), st.floats(least, most))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0), (2, 1)])
@every_entry
def test_no_markets_no_candles_or_a_single_one(entry, shape) -> None:
    for each in entry.compute(*[np.ones(shape)] * len(entry.series), parameters=defaults(entry)).values():
        assert each.shape == shape


@both
@every_entry
def test_a_panel_that_is_unknown_all_over_stays_so(entry, choose) -> None:
    for each in entry.compute(*[np.full((2, 50), np.nan)] * len(entry.series), parameters=choose(entry)).values():
        assert np.isnan(each).all()


@every_entry
def test_arrays_that_may_not_be_written_to_or_lie_otherwise_in_memory_are_as_good(entry) -> None:
    series = panel(entry, market(70, 1), market(70, 2, "smooth"), market(70, 3))
    expected = entry.compute(*series, parameters=short(entry))
    kept = [one.copy() for one in series]
    others = {
        "read-only": [frozen(one) for one in series],
        "by column": [np.asfortranarray(one) for one in series],
        "a part of a wider panel": [np.repeat(one, 2, axis=1)[:, ::2] for one in series],
        "backwards": [one[:, ::-1].copy()[:, ::-1] for one in series],
    }
    for kind, given_ in others.items():
        for output, each in entry.compute(*given_, parameters=short(entry)).items():
            assert each.tobytes() == expected[output].tobytes(), (kind, output)
    assert all(one.tobytes() == before.tobytes() for one, before in zip(series, kept, strict=True))


def frozen(array: Floats) -> Floats:
    array = array.copy()
    array.flags.writeable = False
    return array


PARAMETERS = [(name, one.name) for name, entry in CATALOGUE.items() for one in entry.parameters]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_a_value_out_of_range_is_told_with_indicator_parameter_value_and_range(name, parameter) -> None:
    entry = find(name)
    one = next(one for one in entry.parameters if one.name == parameter)
    bad = [one.least - 1, one.most + 1, math.nan, math.inf, -math.inf]
    bad += (
        [one.least + 0.5] if one.whole else [math.nextafter(one.least, -math.inf), math.nextafter(one.most, math.inf)]
    )
    for value in bad:
        with pytest.raises(BadParameterError) as raised:
            entry.bind((), {parameter: value})
        kind = "a whole number" if one.whole else "a number"
        expected = f"{name}: {parameter} must be {kind} from {one.least:g} to {one.most:g}, not {value:.15g}"
        assert str(raised.value) == expected
    assert one.least <= one.default <= one.most


@every_entry
def test_parameters_in_the_wrong_order_are_told(entry) -> None:
    for less, more in pairwise(entry.ascending):
        with pytest.raises(BadParameterError, match=f"{entry.name}: {less} must be less than {more}"):
            entry.bind((), {less: defaults(entry)[more]})


def test_rsi_without_a_fall_is_100_and_without_a_rise_0() -> None:
    rsi = find("rsi")
    for closes, expected in ((np.arange(1.0, 40.0), 100), (np.arange(40.0, 1.0, -1.0), 0)):
        assert (rsi.compute(closes[np.newaxis], parameters={"length": 3})["value"][0, 3:] == expected).all()


@pytest.mark.parametrize("seed", range(5))
def test_rsi_stays_exactly_where_it_is_on_a_flat_stretch_until_it_has_stood_still_too_long(seed) -> None:
    rsi, parameters = find("rsi"), {"length": 14}
    closes = np.concatenate([market(100, seed).close, np.full(400, 77.7)])
    ours = rsi.compute(closes[np.newaxis], parameters=parameters)["value"][0]
    still = standstill(14)
    assert len(set(ours[100 : 100 + still])) == 1
    assert np.isnan(ours[100 + still :]).all()
    again = rsi.compute(np.append(closes, [77.8, 77.7])[np.newaxis], parameters=parameters)["value"][0]
    assert again[-2] == pytest.approx(100)
    assert again[-1] == pytest.approx(100 * 13 / 27, rel=1e-6), "a rise of 13/14 of a step, a fall of a whole one"


@pytest.mark.parametrize("seed", range(3))
def test_an_average_is_exactly_the_price_that_lasts_as_long_as_it_remembers(seed) -> None:
    ema, remembered = find("ema"), forgets(2 / 11)
    moving = market(100, seed, "smooth", idle=0.0).close
    closes = np.concatenate([moving, np.full(remembered + 40, 0.3), moving, np.full(remembered, 0.7), [0.9]])
    ours = ema.compute(closes[np.newaxis], parameters={"length": 10})["value"][0]
    begin, again = 100 + remembered - 1, len(closes) - 2
    assert not np.isin(ours[100:begin], 0.3).any()
    assert (ours[begin : 100 + remembered + 40] == 0.3).all()
    assert ours[again] == 0.7
    plain = [moving[:10].mean()]
    for close in closes[10:]:
        plain.append(plain[-1] + 2 / 11 * (close - plain[-1]))
    np.testing.assert_allclose(ours[9:], plain, rtol=0, atol=1e-7)


def test_keltner_says_nothing_of_a_price_that_has_stood_still_too_long() -> None:
    keltner, still = find("keltner"), standstill(20)
    known = join(market(100, 4, "smooth", idle=0.0), flat(still + 50, 390.0), market(30, 5, "smooth", idle=0.0))
    ours = {name: each[0] for name, each in values(keltner, defaults(keltner), known).items()}
    begin, end = 100 + still, 150 + still  # the first flat candle has moved there
    assert np.isfinite(ours["percent"][19:begin]).all()
    assert np.isnan(ours["percent"][begin:end]).all()
    assert not ours["above"][begin:end].any()
    assert not ours["below"][begin:end].any()
    assert np.isfinite(ours["percent"][end:]).all()


@pytest.mark.parametrize("length", [1, 10])
def test_supertrend_begins_short_however_close_its_bands_are(length) -> None:
    closes = np.arange(100.0, 130.0)
    series = np.array([closes + 0.01, closes - 1.0, closes])[:, np.newaxis]
    ours = find("supertrend").compute(*series, parameters={"length": length, "multiplier": 0.1})["long"][0]
    np.testing.assert_array_equal(ours[length - 1 :], [0] + [1] * (30 - length))


@given(arrays(np.float64, 40, elements=st.floats(0, 1e9)), st.integers(1, 20))
def test_a_change_in_percent_is_the_same_by_each_of_its_names(closes, length) -> None:
    changes = {
        name: find(name).compute(closes[np.newaxis], parameters=find(name).bind((length,), {}))["value"].tobytes()
        for name in ("roc", "change_pct")
    }
    assert changes["roc"] == changes["change_pct"]
    daily = find("daily_return").compute(closes[np.newaxis], parameters={})["value"]
    assert daily.tobytes() == find("roc").compute(closes[np.newaxis], parameters={"length": 1})["value"].tobytes()


@given(price)
def test_the_typical_price_of_a_flat_candle_is_exactly_its_close(close) -> None:
    assert mean_of_three(close, close, close) == close


def test_candles_have_the_series_that_indicators_read() -> None:
    candles = market(3)
    assert all(len(getattr(candles, name)) == 3 for entry in CATALOGUE.values() for name in entry.series)
