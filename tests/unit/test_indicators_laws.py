"""What holds for every indicator of the catalogue, and for every output of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptowatch.indicators import CATALOGUE, Indicator, find
from cryptowatch.markets.panel import Floats

#: Parameters to try: the defaults, and short ones that are soon defined.
SHORT = {"length": 3, "deviations": 2.0, "fast": 2, "slow": 4, "signal": 3}
OUTPUTS = [(name, output) for name, entry in CATALOGUE.items() for output in entry.outputs]

every_output = pytest.mark.parametrize(("name", "output"), OUTPUTS)
every_indicator = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)

#: Prices with ties, jumps and unknown stretches.
price = st.one_of(st.sampled_from([100.0, 100.5, 101.0]), st.floats(1e-12, 1e9), st.just(np.nan))
series = st.lists(price, max_size=60).map(np.array)


def short(entry: Indicator) -> dict[str, float]:
    return {one.name: SHORT[one.name] for one in entry.parameters}


def compute(entry: Indicator, closes: object, parameters: dict[str, float] | None = None) -> dict[str, Floats]:
    panel = np.atleast_2d(np.asarray(closes, dtype=np.float64))
    return entry.compute(*[panel] * len(entry.inputs), parameters=parameters or short(entry))


def walk(length: int, seed: int = 0) -> Floats:
    steps = np.random.default_rng(seed).choice([-0.5, -0.25, 0.0, 0.25, 0.5], length)
    return 100 + np.cumsum(steps)


@every_indicator
@given(series, st.integers(0, 60))
@settings(max_examples=100, deadline=None)
def test_cutting_the_future_changes_nothing_before(entry, closes, cut) -> None:
    whole, part = compute(entry, closes), compute(entry, closes[:cut])
    for output in entry.outputs:
        assert whole[output][:, :cut].tobytes() == part[output].tobytes()


@every_indicator
@given(st.lists(st.lists(price, min_size=20, max_size=20), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_markets_of_a_panel_do_not_touch_one_another(entry, markets) -> None:
    together = compute(entry, markets)
    for row, closes in enumerate(markets):
        alone = compute(entry, closes)
        for output in entry.outputs:
            assert together[output][row].tobytes() == alone[output][0].tobytes()


@every_indicator
@given(series)
@settings(max_examples=100, deadline=None)
def test_no_input_gives_an_infinite_value_or_an_exception(entry, closes) -> None:
    for values in compute(entry, closes).values():
        assert values.shape == (1, len(closes))
        assert not np.isinf(values).any()


@every_output
def test_the_first_value_comes_after_the_warm_up(name, output) -> None:
    entry = find(name)
    for parameters in (short(entry), entry.bind((), {})):
        values = compute(entry, walk(200), parameters)[output][0]
        assert np.flatnonzero(~np.isnan(values))[0] == entry.warm_up(parameters, output)


@every_output
@pytest.mark.parametrize("defaults", [False, True])
def test_behind_a_gap_it_starts_anew_with_its_warm_up(name, output, defaults) -> None:
    entry = find(name)
    parameters = entry.bind((), {}) if defaults else short(entry)
    closes = walk(180)
    closes[60:63] = np.nan
    values = compute(entry, closes, parameters)[output][0]
    behind = compute(entry, closes[63:], parameters)[output][0]
    assert np.isnan(values[60:63]).all()
    np.testing.assert_array_equal(values[63:], behind)


@every_output
def test_two_loads_beyond_the_look_back_agree(name, output) -> None:
    entry = find(name)
    parameters = entry.bind((), {})
    closes = walk(3000, seed=5)
    look_back = entry.look_back(parameters)
    late = compute(entry, closes[700:], parameters)[output][0, look_back:]
    early = compute(entry, closes, parameters)[output][0, 700 + look_back :]
    # Where a level lies near zero its error is that of the prices it is the difference of.
    np.testing.assert_allclose(late, early, rtol=1e-9, atol=1e-9 if name == "macd" else 0)


@pytest.mark.parametrize("value", [1e-12, 0.1, 101.3, 12345.678, 1e9])
def test_a_flat_stretch_as_long_as_the_window_gives_exactly_the_flat_value(value) -> None:
    closes = np.concatenate([walk(57), np.full(30, value)])
    window = slice(57 + 19, None)
    assert (compute(find("sma"), closes, {"length": 20})["value"][0, window] == value).all()
    bands = compute(find("bollinger"), closes, {"length": 20, "deviations": 2})
    for output in ("middle", "upper", "lower"):
        assert (bands[output][0, window] == value).all()
    assert (bands["width"][0, window] == 0).all()
    assert np.isnan(bands["percent"][0, window]).all()


@every_indicator
def test_constant_prices_give_the_price_or_nothing(entry) -> None:
    for value in (0.1, 1e-12, 1e9):
        outputs = compute(entry, np.full(400, value), entry.bind((), {}))
        expected = {"value": value, "middle": value, "upper": value, "lower": value}
        for output, values in outputs.items():
            assert set(np.unique(values[~np.isnan(values)])) <= {expected.get(output, 0.0)}


def test_a_spike_leaves_nothing_behind_in_a_window() -> None:
    closes = np.concatenate([[1e9] * 2, np.tile([1.0, 2.0], 40)])
    assert (compute(find("sma"), closes, {"length": 4})["value"][0, 5:] == 1.5).all()
    bands = compute(find("bollinger"), closes, {"length": 4, "deviations": 1})
    np.testing.assert_allclose(bands["upper"][0, 5:], 2.0, rtol=1e-15)


@given(st.integers(1, 30), st.lists(st.floats(1, 1e6), min_size=1, max_size=90))
@settings(max_examples=100, deadline=None)
def test_windows_are_those_of_the_definition(length, closes) -> None:
    mean = compute(find("sma"), closes, {"length": length})["value"][0]
    bands = compute(find("bollinger"), closes, {"length": max(2, length), "deviations": 1})
    for step in range(len(closes)):
        if step >= length - 1:
            assert mean[step] == pytest.approx(np.mean(closes[step - length + 1 : step + 1]), rel=1e-12)
        if step >= max(2, length) - 1:
            window = closes[step - max(2, length) + 1 : step + 1]
            half = bands["upper"][0, step] - bands["middle"][0, step]
            assert half == pytest.approx(np.std(window), rel=1e-9, abs=1e-12 * max(window))


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**20])
def test_prices_in_another_unit_give_the_same_picture(factor) -> None:
    closes = walk(150)
    for name, output in OUTPUTS:
        entry = find(name)
        plain, scaled = compute(entry, closes)[output], compute(entry, closes * factor)[output]
        is_share = name == "rsi" or output in ("width", "percent")
        np.testing.assert_array_equal(scaled, plain if is_share else plain * factor)


def test_rsi_without_a_fall_is_100_and_without_a_rise_0() -> None:
    assert (compute(find("rsi"), np.arange(1.0, 40.0))["value"][0, 3:] == 100).all()
    assert (compute(find("rsi"), np.arange(40.0, 1.0, -1.0))["value"][0, 3:] == 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_rsi_stays_exactly_where_it_is_on_a_flat_stretch_until_its_look_back_holds_no_move(seed) -> None:
    entry = find("rsi")
    parameters = {"length": 14}
    closes = np.concatenate([walk(100, seed=seed), np.full(400, 77.7)])
    values = compute(entry, closes, parameters)["value"][0]
    still = entry.look_back(parameters) - 1
    assert len(set(values[100 : 100 + still])) == 1
    assert np.isnan(values[100 + still :]).all()
    again = compute(entry, np.append(closes, [77.8, 77.7]), parameters)["value"][0]
    assert again[-2] == pytest.approx(100)
    assert again[-1] == pytest.approx(100 * 13 / 27, rel=1e-6), "a rise of 13/14 of a step, a fall of a whole one"


def test_arrays_that_may_not_be_written_to_or_lie_otherwise_in_memory_are_as_good() -> None:
    panel = np.asfortranarray(np.vstack([walk(50), walk(50, 1)]))
    panel.flags.writeable = False
    for entry in CATALOGUE.values():
        for output, values in compute(entry, panel).items():
            np.testing.assert_array_equal(values, compute(entry, np.array(panel, order="C"))[output])


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0), (2, 1)])
@every_indicator
def test_no_markets_no_candles_or_a_single_one(entry, shape) -> None:
    for values in compute(entry, np.ones(shape)).values():
        assert values.shape == shape
