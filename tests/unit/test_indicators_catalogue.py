"""Entries of the catalogue, and what is said of bad parameters."""

import math
import subprocess
import sys

import numpy as np
import pytest

from cryptowatch.indicators import CATALOGUE, BadParameterError, UnknownIndicatorError, find
from cryptowatch.indicators.catalogue import forgets, indicator, number
from cryptowatch.indicators.kernel import Out, Series, kernel


def test_parameters_are_given_by_place_or_name_and_have_defaults() -> None:
    macd = find("macd")
    assert macd.bind((), {}) == {"fast": 12, "slow": 26, "signal": 9}
    assert macd.bind((5, 10), {"signal": 3}) == {"fast": 5, "slow": 10, "signal": 3}


@pytest.mark.parametrize(
    ("name", "positional", "named", "message"),
    [
        ("rsi", (1,), {}, "rsi: length must be a whole number from 2 to 2000, not 1"),
        ("rsi", (14.5,), {}, "rsi: length must be a whole number from 2 to 2000, not 14.5"),
        ("rsi", (math.nan,), {}, "rsi: length must be a whole number from 2 to 2000, not nan"),
        ("sma", (2000.0000001,), {}, "sma: length must be a whole number from 1 to 2000, not 2000.0000001"),
        ("bollinger", (20, 0), {}, "bollinger: deviations must be a number from 0.1 to 10, not 0"),
        ("bollinger", (20, math.inf), {}, "bollinger: deviations must be a number from 0.1 to 10, not inf"),
        ("rsi", (14, 3), {}, "rsi takes at most 1 number: length"),
        ("rsi", (), {"len": 3}, "rsi has no parameter 'len': it has length"),
        ("rsi", (14,), {"length": 14}, "rsi: length is given twice"),
        ("macd", (26, 12), {}, "macd: fast must be less than slow, not 26 and 12"),
    ],
)
def test_a_bad_parameter_is_told_with_indicator_value_and_range(name, positional, named, message) -> None:
    with pytest.raises(BadParameterError) as raised:
        find(name).bind(positional, named)
    assert str(raised.value) == message


def test_an_unknown_indicator_is_told() -> None:
    with pytest.raises(UnknownIndicatorError, match="rsii"):
        find("rsii")


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_every_entry_is_complete_and_its_defaults_are_allowed(entry) -> None:
    assert entry.formula
    assert entry.source
    assert entry.inputs
    assert entry.engine in ("numba", "ta")
    defaults = entry.bind((), {})
    assert list(defaults) == [one.name for one in entry.parameters]
    for output in entry.outputs:
        assert 0 <= entry.warm_up(defaults, output) < entry.look_back(defaults)


def test_an_average_has_forgotten_its_start_when_a_ten_thousand_millionth_is_left() -> None:
    assert (1 - 1 / 14) ** forgets(1 / 14) <= 1e-10 < (1 - 1 / 14) ** (forgets(1 / 14) - 1)
    assert forgets(1.0) == 1


@kernel
def between(high: Series, low: Series, share: float, value: Out) -> None:
    for step in range(len(high)):
        value[step] = low[step] + share * (high[step] - low[step])


def test_an_indicator_is_added_by_a_function_and_an_entry() -> None:
    enter = indicator(
        "Between",
        number("share", 0.5, 0, 1),
        outputs={"value": "price"},
        warm_up=lambda share: 0,
        look_back=lambda share: 1,
        formula="low + share * (high - low)",
        source="here",
    )
    try:
        enter(between)
        entry = find("between")
        assert (entry.inputs, entry.engine) == (("high", "low"), "numba")
        high, low = np.array([[4.0, np.nan]]), np.array([[2.0, 1.0]])
        values = entry.compute(high, low, parameters=entry.bind((), {}))["value"]
        np.testing.assert_array_equal(values, [[3.0, np.nan]])
    finally:
        del CATALOGUE["between"]


def test_an_entry_whose_names_are_not_those_of_its_function_is_refused() -> None:
    enter = indicator("Between", outputs={"value": "price"}, warm_up=int, look_back=int, formula="", source="")
    with pytest.raises(TypeError, match="between: its entry names"):
        enter(between)


@pytest.mark.parametrize("shapes", [[(1, 4), (1, 2), (1, 2)], [(1, 4)] * 2, [(4,)] * 3, []])
def test_series_that_do_not_fit_are_refused(shapes) -> None:
    with pytest.raises(ValueError, match=r"atr reads high, low, close, all of one shape \(market, time\)"):
        find("atr").compute(*(np.ones(shape) for shape in shapes), parameters={"length": 2})


def test_reading_the_catalogue_and_rules_loads_no_compiler() -> None:
    code = "import sys, cryptowatch.indicators, cryptowatch.rules; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
