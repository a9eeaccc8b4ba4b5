"""The traps of the library `ta`, each shown on itself, and that what we compute by it is free of them."""

import warnings

import numpy as np
import pandas as pd
import pytest
import ta

from bench.references.generated import defaults, flat, join, market, short, values
from cryptowatch.indicators import CATALOGUE, BadParameterError, Indicator, by_ta, find
from cryptowatch.indicators.averages import ema_look_back
from cryptowatch.markets.panel import Floats

BY_TA = {name: entry for name, entry in CATALOGUE.items() if entry.engine == "ta"}
every_entry = pytest.mark.parametrize("entry", BY_TA.values(), ids=BY_TA)
both = pytest.mark.parametrize("choose", [short, defaults])


def closes(length: int, seed: int = 0) -> Floats:
    return market(length, seed, "smooth", idle=0.0).close


def ours(name: str, *series: Floats) -> Floats:
    """The default output, with the default parameters."""
    entry = find(name)
    outputs = entry.compute(*(one[np.newaxis] for one in series), parameters=defaults(entry))
    return outputs[entry.default_output][0]


def test_what_ta_computes_is_all_here() -> None:
    assert set(BY_TA) == {name for name, entry in CATALOGUE.items() if entry.group == "by_ta"}
    assert set(BY_TA) >= {"kst", "tsi", "dpo", "mass_index", "stc", "ulcer_index"}


def test_ta_goes_wrong_on_any_index_but_0_1_2() -> None:
    frame = market(60, 1, "smooth").frame[["high", "low", "close"]]
    dated = frame.set_axis(pd.date_range("2024-01-01", periods=60), axis=0)
    right = ta.trend.PSARIndicator(**frame).psar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = ta.trend.PSARIndicator(**dated).psar()
    assert len(wrong) != 60 or not np.array_equal(wrong, right)
    assert by_ta.as_series(frame.close[20:].to_numpy()).index.equals(pd.RangeIndex(40))


def test_what_is_not_one_value_a_candle_is_refused() -> None:
    with pytest.raises(ValueError, match="ta gave 4 values for 3 candles"):
        by_ta.write(pd.Series(np.ones(4)), 0, np.empty(3))


def test_ta_raises_on_what_is_shorter_than_its_window() -> None:
    frame = market(10, 1).frame[["high", "low", "close"]]
    with pytest.raises(IndexError):
        ta.volatility.AverageTrueRange(**frame, window=14).average_true_range()
    with pytest.raises((IndexError, ValueError)):
        ta.trend.ADXIndicator(**frame, window=14).adx()


@both
@every_entry
def test_ours_is_unknown_up_to_the_warm_up_however_short(entry: Indicator, choose) -> None:
    parameters = choose(entry)
    last = max(entry.warm_up(parameters, output) for output in entry.outputs)
    for length in {1, 2, 3, last // 2 + 1, last, last + 1, last + 2}:
        for output, found in values(entry, parameters, market(length, 2, "smooth", idle=0.0)).items():
            first, known = entry.warm_up(parameters, output), ~np.isnan(found[0])
            assert not known[:first].any(), output
            # The cycle of a trend that has not turned yet has no range.
            assert known[first:].all() or entry.name == "stc", output


@pytest.mark.parametrize(
    "compute",
    [
        lambda series: ta.trend.KSTIndicator(series).kst(),
        lambda series: ta.trend.DPOIndicator(series, 2).dpo(),
    ],
    ids=["kst", "dpo"],
)
def test_ta_fills_the_start_of_kst_and_dpo_from_the_future(compute) -> None:
    past = closes(80)
    future = np.append(past, 1e6)
    before, after = compute(pd.Series(past)), compute(pd.Series(future))[:80]
    assert (before.notna() & (before != after)).any()
    before, after = compute(by_ta.as_series(past)), compute(by_ta.as_series(future))[:80]
    np.testing.assert_array_equal(before, after)
    assert before.notna().any()


@both
@every_entry
def test_no_bit_of_ours_is_from_the_future(entry: Indicator, choose) -> None:
    parameters = choose(entry)
    known = market(400, 3, "smooth")
    spike = join(known, flat(3, 1e6, 1e6))
    for output, found in values(entry, parameters, known).items():
        assert values(entry, parameters, spike)[output][0, :400].tobytes() == found[0].tobytes()


def test_of_a_missing_candle_ta_makes_a_value_or_the_end_of_all_values() -> None:
    broken = closes(200)
    broken[120] = np.nan
    series = pd.Series(broken)
    assert np.isfinite(ta.momentum.TSIIndicator(series).tsi()[120])
    assert np.isnan(ta.momentum.KAMAIndicator(series).kama()[120:]).all()


@every_entry
def test_on_a_missing_candle_ours_is_unknown_and_starts_anew_behind_it(entry: Indicator) -> None:
    known = market(400, 4, "smooth")
    series = [getattr(known, name).copy() for name in entry.series]
    series[0][120] = np.nan
    broken = entry.compute(*(one[np.newaxis] for one in series), parameters=defaults(entry))
    behind = entry.compute(*(one[np.newaxis, 121:] for one in series), parameters=defaults(entry))
    for output, found in broken.items():
        assert np.isnan(found[0, 120])
        assert found[0, 121:].tobytes() == behind[output][0].tobytes()
        assert np.isfinite(found[0, -1])


def test_ta_drops_candles_without_volume_and_ours_has_a_value_on_each() -> None:
    frame = market(300, 5, idle=0.3).frame
    assert len(ta.utils.dropna(frame)) == (frame.volume > 0).sum() < 300
    assert np.isfinite(ours("tsi", frame.close.to_numpy())[37:]).all()


def test_ta_gives_infinite_values_and_ours_are_unknown() -> None:
    prices = closes(100)
    prices[60] = 0.0
    assert np.isinf(ta.momentum.ROCIndicator(pd.Series(prices)).roc()).any()
    found = by_ta.as_series(np.array([1.0, np.inf, -np.inf, 2.0, 3.0]))
    out = np.full(5, np.nan)
    by_ta.write(found, 1, out)
    np.testing.assert_array_equal(out, [np.nan, np.nan, np.nan, 2.0, 3.0])
    assert not np.isinf(ours("kst", prices)).any()


def test_where_nothing_moves_ta_keeps_a_constant_and_ours_is_unknown() -> None:
    known = join(market(300, 6, idle=0.0), flat(1000, 400.0))
    theirs = {
        "tsi": ta.momentum.TSIIndicator(known.frame.close).tsi(),
        "stc": ta.trend.STCIndicator(known.frame.close).stc(),
    }
    for name, still in (("tsi", ema_look_back(13)), ("stc", 20 + 2 * ema_look_back(3))):
        assert np.isfinite(theirs[name].iloc[-1])
        found = ours(name, known.close)
        # The first of the flat candles has moved there.
        assert np.isfinite(found[300 : 300 + still]).all()
        assert np.isnan(found[300 + still :]).all()


def test_the_mass_index_is_unknown_while_its_sum_holds_a_ratio_of_forgotten_ranges() -> None:
    still = ema_look_back(9)
    moving = market(300, 7, idle=0.0)
    moving.high[:] = np.maximum(moving.high, moving.low + 0.25)
    known = join(moving, flat(still + 10, 400.0), moving)
    found = ours("mass_index", known.high, known.low)
    first, last = 300 + still - 1, 300 + still + 10
    assert np.isfinite(found[40:first]).all()
    assert np.isnan(found[first : last + 24]).all()
    assert np.isfinite(found[last + 24 :]).all()


def test_the_schaff_trend_cycle_is_unknown_until_the_market_has_moved_for_as_long_as_it_remembers() -> None:
    remembered = 20 + 2 * ema_look_back(3)
    moving = market(300, 8, idle=0.0)
    known = join(moving, flat(remembered + 5, 400.0), moving)
    found = ours("stc", known.close)
    anew = 300 + remembered + 5
    assert np.isnan(found[300 + remembered : anew + remembered - 1]).all()
    assert np.isfinite(found[anew + remembered :]).all()


@pytest.mark.parametrize("seed", [4, 7, 8])
def test_the_schaff_trend_cycle_of_long_averages_agrees_beyond_its_look_back(seed) -> None:
    stc = find("stc")
    parameters = stc.bind((4, 6, 8, 6, 9), {})
    look_back = stc.look_back(parameters)
    prices = market(look_back + 1100, seed, "smooth", idle=0.97).close[np.newaxis]
    early = stc.compute(prices, parameters=parameters)["value"][0, 700 + look_back - 1 :]
    late = stc.compute(prices[:, 700:], parameters=parameters)["value"][0, look_back - 1 :]
    np.testing.assert_allclose(late, early, rtol=0, atol=1e-7)


def test_the_true_strength_index_takes_the_short_length_first_and_says_so() -> None:
    assert find("tsi").bind((13, 25), {}) == defaults(find("tsi"))
    with pytest.raises(BadParameterError, match="tsi: fast must be less than slow, not 25 and 13"):
        find("tsi").bind((25, 13), {})


def test_candles_since_and_still() -> None:
    happened = np.array([False, True, False, False, True])
    np.testing.assert_array_equal(by_ta.candles_since(happened)[1:], [0, 1, 2, 0])
    assert by_ta.candles_since(happened)[0] >= 2000
    still = by_ta.candles_still(np.array([5.0, 5.0, 6.0, 6.0, 6.0, 7.0]))
    np.testing.assert_array_equal(still, [0, 1, 0, 1, 2, 0])


@pytest.mark.parametrize("length", [2, 14])
def test_the_ulcer_index_is_that_of_full_ranges(length) -> None:
    prices = closes(80)
    found = find("ulcer_index").compute(prices[np.newaxis], parameters={"length": length})["value"][0]
    theirs = ta.volatility.UlcerIndex(pd.Series(prices), length).ulcer_index()
    assert np.isfinite(theirs[length - 1])
    assert np.isnan(found[: 2 * length - 2]).all()
    np.testing.assert_array_equal(found[2 * length - 2 :], theirs[2 * length - 2 :])
