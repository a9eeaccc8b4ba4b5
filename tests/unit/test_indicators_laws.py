"""What holds for every indicator of the catalogue and every output of it, whatever the candles."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.references import Candles
from bench.references.generated import cut, defaults, flat, join, market, markets, mixed, rescale, short, values
from cryptowatch.indicators import CATALOGUE, Indicator, find
from cryptowatch.markets.panel import Floats


def is_window(entry: Indicator, parameters: dict[str, float]) -> bool:
    """Whether a value depends on a window of candles alone: it is there as soon as the window is full."""
    last = max(entry.warm_up(parameters, output) for output in entry.outputs)
    return entry.look_back(parameters) <= last + 1 and not entry.cumulative and not entry.flips


every_entry = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
both = pytest.mark.parametrize("choose", [short, defaults])
CONVERGING = {name: entry for name, entry in CATALOGUE.items() if not (entry.flips or entry.cumulative)}
every_converging = pytest.mark.parametrize("entry", CONVERGING.values(), ids=CONVERGING)
WINDOWS = [(entry, choose) for entry in CATALOGUE.values() for choose in (short, defaults)]
WINDOWS = [(entry, choose) for entry, choose in WINDOWS if is_window(entry, choose(entry))]
every_window = pytest.mark.parametrize(
    ("entry", "choose"), WINDOWS, ids=[f"{one[0].name}-{one[1].__name__}" for one in WINDOWS]
)
few = settings(max_examples=15, deadline=None, derandomize=True)

#: Outputs that may be unknown on candles that move, behind the warm-up.
SOMETIMES_UNKNOWN = {
    "bars_since": "until the condition is true",
    "psar.up": "while short",
    "psar.down": "while long",
    "vwap_week": "until a week begins",
    "vwap_month": "until a month begins",
}
#: Cumulative outputs that are multiplied, not added to: when this is added to them.
GROWS = {"nvi": 0.0, "cumulative_return": 100.0}
#: Outputs that are no power of their unit: powers of price and of volume they grow with.
POWERS = {"ease_of_movement": (2, -1)}


def excepted(exceptions: Mapping[str, object], entry: Indicator, output: str) -> bool:
    return entry.name in exceptions or f"{entry.name}.{output}" in exceptions


def scales(entry: Indicator, level: float, theirs: dict[str, Floats]) -> dict[str, float]:
    """What an error of each output is measured by."""
    found = {}
    for output, unit in entry.outputs.items():
        known = np.abs(theirs[output][np.isfinite(theirs[output])])
        most = float(known.max(initial=0.0))
        fixed = {"percent": 100.0, "ratio": 1.0, "candles": 1.0, "flag": 1.0}
        of_volume = unit in ("volume", "turnover") or entry.source_default == "volume"
        found[output] = fixed.get(unit, (most or 1.0) if of_volume else level)
    return found


def only(entry: Indicator, units: tuple[str, ...]) -> list[str]:
    return [output for output, unit in entry.outputs.items() if unit in units]


@every_entry
@given(markets(), st.integers(0, 90))
@few
def test_cutting_the_future_changes_no_bit(entry, panel, stop) -> None:
    whole = values(entry, short(entry), *panel)
    part = values(entry, short(entry), *(cut(one, 0, stop) for one in panel))
    for output in entry.outputs:
        assert whole[output][:, :stop].tobytes() == part[output].tobytes(), output


@every_entry
@given(markets(), st.randoms(use_true_random=False))
@few
def test_a_market_gets_the_same_bits_in_whatever_batch(entry, panel, random) -> None:
    together = values(entry, short(entry), *panel)
    order = random.sample(range(len(panel)), len(panel))
    mixed = values(entry, short(entry), *(panel[row] for row in order))
    wanted = random.sample(list(entry.outputs), random.randint(1, len(entry.outputs)))
    for row, one in enumerate(panel):
        alone = values(entry, short(entry), one, outputs=wanted)
        assert set(alone) == set(wanted)
        for output in entry.outputs:
            assert together[output][row].tobytes() == mixed[output][order.index(row)].tobytes(), output
            assert output not in alone or alone[output][0].tobytes() == together[output][row].tobytes(), output


@both
@every_entry
def test_a_long_load_gives_the_same_bits_as_a_short_one(entry, choose) -> None:
    parameters = choose(entry)
    known = [market(1500, 1), market(1500, 2, "smooth")]
    for output, whole in values(entry, parameters, *known).items():
        for stop in (1, 7, 40, 129, 500, 1024):
            part = values(entry, parameters, cut(known[1], 0, stop), outputs=[output])[output]
            assert whole[1, :stop].tobytes() == part[0].tobytes(), output


def assert_converged(entry: Indicator, parameters: dict[str, float], whole: Candles, begin: int) -> None:
    """Whether a load that begins at the candle `begin` agrees with an older one beyond the look-back."""
    look_back = entry.look_back(parameters, int(whole.time[1] - whole.time[0]))
    level = float(whole.close.mean())
    early = {name: each[0, begin:] for name, each in values(entry, parameters, whole).items()}
    late = {name: each[0] for name, each in values(entry, parameters, cut(whole, begin)).items()}
    for output, scale in scales(entry, level, early).items():
        ours, theirs = late[output][look_back - 1 :], early[output][look_back - 1 :]
        if entry.cumulative:
            grows, more = entry.name in GROWS, GROWS.get(entry.name, 0.0)
            ours, theirs = (np.diff(np.log(one + more) if grows else one) for one in (ours, theirs))
        if entry.flips:
            same = np.isclose(ours, theirs, rtol=0, atol=1e-9 * scale, equal_nan=True)
            assert same.mean() > 0.95, output
        else:
            np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs), output)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * scale, err_msg=output)


@both
@pytest.mark.parametrize(("style", "interval_s"), [("ticks", 60), ("smooth", 3600)])
@every_entry
def test_two_loads_beyond_the_look_back_agree(entry, choose, style, interval_s) -> None:
    look_back = entry.look_back(choose(entry), interval_s)
    assert_converged(entry, choose(entry), market(look_back + 1100, 5, style, interval_s), 700)


@pytest.mark.parametrize(("seed", "idle"), [(1, 0.1), (2, 0.9), (3, 0.97), (4, 0.99), (5, 0.97), (6, 0.99)])
@every_converging
def test_two_loads_agree_whatever_the_parameters_and_however_long_nothing_is_traded(entry, seed, idle) -> None:
    parameters = mixed(entry, seed, 40 if seed > 2 else 10)
    whole = market(entry.look_back(parameters, 3600) + 1100, seed, "smooth", 3600, idle)
    for begin in (50, 333, 700):
        assert_converged(entry, parameters, whole, begin)


@pytest.mark.parametrize("volume", [0.0, 0.3])
@pytest.mark.parametrize("choose", [short, defaults, mixed])
@every_converging
def test_a_market_that_stands_still_is_the_same_bits_for_every_load(entry, choose, volume) -> None:
    parameters = choose(entry)
    look_back = entry.look_back(parameters)
    moving = market(200, 11, "smooth", idle=0.0)
    whole = join(moving, flat(look_back + 1100, 101.3, volume))
    early = values(entry, parameters, whole)
    for begin in (200, 205, 260):
        for output, late in values(entry, parameters, cut(whole, begin)).items():
            ours, theirs = late[0, look_back - 1 :], early[output][0, begin + look_back - 1 :]
            np.testing.assert_array_equal(ours, theirs, output)


@every_window
def test_a_spike_leaves_nothing_behind_in_a_window(entry, choose) -> None:
    parameters = choose(entry)
    look_back = entry.look_back(parameters)
    calm = market(2 * look_back + 40, 3, "smooth")
    spike = rescale(market(2, 4), price=1e9 / 400, volume=1e6)
    level = float(calm.close.mean())
    fresh = {name: each[0] for name, each in values(entry, parameters, calm).items()}
    behind = {name: each[0, 2:] for name, each in values(entry, parameters, join(spike, calm)).items()}
    for output, scale in scales(entry, level, fresh).items():
        ours, theirs = behind[output][look_back - 1 :], fresh[output][look_back - 1 :]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * scale, err_msg=output)


@both
@pytest.mark.parametrize("price", [1e-12, 0.1, 101.3, 12345.678, 1e9])
@every_entry
def test_a_flat_market_gives_exactly_its_price_and_no_change(entry, price, choose) -> None:
    parameters = choose(entry)
    for volume in (0.0, 0.3):
        outputs = values(entry, parameters, flat(entry.look_back(parameters) + 90, price, volume))
        of_volume = entry.source_default == "volume"
        for output in only(entry, ("price",)):
            known = outputs[output][~np.isnan(outputs[output])]
            assert set(known) <= {volume if of_volume else price}, output
        for output in only(entry, ("change",)):
            assert set(outputs[output][~np.isnan(outputs[output])]) <= {0.0}, output
        for output in only(entry, ("percent", "ratio", "flag")):
            assert len(set(outputs[output][~np.isnan(outputs[output])])) <= 1, "always the same"


@pytest.mark.parametrize("price", [1e-12, 0.1, 101.3, 12345.678, 1e9])
@every_window
def test_a_flat_stretch_as_long_as_the_window_gives_exactly_the_flat_value(entry, price, choose) -> None:
    parameters = choose(entry)
    look_back = entry.look_back(parameters)
    moving = join(market(57, 6, "smooth"), market(5, 7, "wild"))
    known = join(moving, flat(look_back + 20, price))
    ours = values(entry, parameters, known)
    theirs = values(entry, parameters, join(flat(len(moving), price), flat(look_back + 20, price)))
    for output in entry.outputs:
        np.testing.assert_array_equal(ours[output][0, -20:], theirs[output][0, -20:], output)


@both
@every_entry
def test_a_young_market_has_values_from_the_warm_up_on(entry, choose) -> None:
    parameters = choose(entry)
    outputs = values(entry, parameters, market(entry.look_back(parameters) + 200, 8, "smooth", idle=0.0))
    for output in entry.outputs:
        first = entry.warm_up(parameters, output)
        assert 0 <= first < entry.look_back(parameters)
        known = ~np.isnan(outputs[output][0])
        assert not known[:first].any(), output
        if not excepted(SOMETIMES_UNKNOWN, entry, output):
            assert known[first:].all(), output


@every_entry
@given(markets(60, 60), st.integers(5, 50), st.integers(1, 4), st.data())
@few
def test_behind_an_unknown_candle_it_starts_anew(entry, panel, first, length, data) -> None:
    hidden = data.draw(st.sampled_from(entry.series))
    row = data.draw(st.integers(0, len(panel) - 1))
    unknown = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    whole = values(entry, short(entry), *panel)
    series = [np.array([getattr(one, name) for one in panel]) for name in entry.series]
    series[entry.series.index(hidden)][row, first : first + length] = unknown
    broken = entry.compute(*series, parameters=short(entry))
    behind = values(entry, short(entry), cut(panel[row], first + length))
    for output in entry.outputs:
        assert broken[output][row, :first].tobytes() == whole[output][row, :first].tobytes(), output
        assert np.isnan(broken[output][row, first : first + length]).all(), output
        assert broken[output][row, first + length :].tobytes() == behind[output][0].tobytes(), output
        others = [other for other in range(len(panel)) if other != row]
        assert broken[output][others].tobytes() == whole[output][others].tobytes(), output


def times_of_price(entry: Indicator, output: str, price: float, volume: float) -> float:
    """What an output is multiplied by when prices and volumes are."""
    if entry.name in POWERS:
        of_price, of_volume = POWERS[entry.name]
        return price**of_price * volume**of_volume
    source = volume if entry.source_default == "volume" else price
    by_unit = {"price": source, "change": source, "volume": volume, "turnover": price * volume}
    return by_unit.get(entry.outputs[output], 1.0)


@both
@pytest.mark.parametrize(("price", "volume"), [(2.0**-40, 1.0), (2.0**21, 1.0), (1.0, 2.0**-20), (1.0, 2.0**11)])
@every_entry
def test_another_unit_of_prices_or_volume_gives_the_same_picture(entry, price, volume, choose) -> None:
    known = market(entry.look_back(choose(entry)) + 100, 9)
    plain = values(entry, choose(entry), known)
    scaled = values(entry, choose(entry), rescale(known, price, volume))
    for output in entry.outputs:
        expected = plain[output] * times_of_price(entry, output, price, volume)
        np.testing.assert_array_equal(scaled[output], expected, output)


@both
@every_entry
def test_a_constant_added_to_all_prices_moves_levels_and_leaves_changes(entry, choose) -> None:
    if entry.source_default == "volume":
        pytest.skip("it is not of prices")
    known = market(entry.look_back(choose(entry)) + 100, 10)
    plain, shifted = values(entry, choose(entry), known), values(entry, choose(entry), rescale(known, shift=64.0))
    for output in only(entry, ("price", "change")):
        expected = plain[output] + (64.0 if entry.outputs[output] == "price" else 0.0)
        np.testing.assert_allclose(shifted[output], expected, rtol=0, atol=1e-9 * 500, err_msg=output)


def test_the_exceptions_above_are_of_the_catalogue() -> None:
    for name in (*SOMETIMES_UNKNOWN, *GROWS, *POWERS):
        indicator, _, output = name.partition(".")
        assert not output or output in find(indicator).outputs
