"""Rules over panels of several intervals: nothing of the future, nothing of the batch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cryptowatch.indicators import CATALOGUE, Indicator, find
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.markets.loads import last_closed_steps, load_starts
from cryptowatch.markets.panel import Panel
from cryptowatch.rules import Memo, RuleError, compile_rule, warm_up
from cryptowatch.rules.rule import Rule

MINUTE, FIVE, QUARTER = INTERVALS["1m"], INTERVALS["5m"], INTERVALS["15m"]
#: Base candles of the panels here; they begin in the middle of a quarter of an hour.
FIRST, LAST = 1007, 1126


def panel(interval: Interval, first: int, last: int, markets: int = 2, seed: int = 0) -> Panel:
    """Made-up candles with ties, filled and unknown ones; a step's candle depends on the seed and the step alone."""
    shape = (markets, last - first + 1)
    columns = [np.empty(shape) for _ in range(5)]
    filled = np.zeros(shape, dtype=np.bool_)
    for row in range(markets):
        for step in range(first, last + 1):
            chance = np.random.default_rng([seed, interval.seconds, row, step])
            values = np.full(5, np.nan) if chance.random() < 0.01 else 100 + chance.integers(-4, 5, 5) / 4
            filled[row, step - first] = chance.random() < 0.1 and not np.isnan(values[0])
            for column, value in zip(columns, values, strict=True):
                column[row, step - first] = value
    open_, high, low, close, volume = columns
    return Panel(interval, first, tuple(range(markets)), open_, high, low, close, volume, filled)


def cut(whole: Panel, last: int, markets: slice = slice(None)) -> Panel:
    """The same without what comes after the step `last`."""
    columns = slice(0, max(0, last - whole.first_step + 1))
    names = ("open", "high", "low", "close", "volume", "filled")
    parts = {name: getattr(whole, name)[markets, columns] for name in names}
    return Panel(whole.interval, whole.first_step, whole.market_ids[markets], **parts)


WHOLE = {
    interval.name: panel(interval, FIRST * 60 // interval.seconds - 30, LAST * 60 // interval.seconds + 2)
    for interval in (MINUTE, FIVE, QUARTER)
}

series = st.sampled_from(["open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4"])
interval_given = st.sampled_from(["", ', interval="5m"', ', interval="15m"'])
lengths = st.integers(2, 6)


def _deeper(number: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, number, st.sampled_from("+-*/"), number),
        st.builds("-{}".format, number),
        st.builds("{}({}, {}{})".format, st.sampled_from(["sma", "ema", "rsi"]), number, lengths, interval_given),
        st.builds("vwma({}, {})".format, number, lengths),
        st.builds("bollinger({}, 3, 1.5{}).{}".format, number, interval_given, st.sampled_from(["upper", "percent"])),
        st.builds("macd({}, 2, 3, 2{}).histogram".format, number, interval_given),
        st.builds("{}({}, {})".format, st.sampled_from(["ago", "change", "highest", "lowest"]), number, lengths),
    )


numbers = st.recursive(series | st.sampled_from(["100", "0.5"]), _deeper, max_leaves=4)
compared = st.one_of(
    st.builds("{} {} {}".format, numbers, st.sampled_from(["<", "<=", ">", ">="]), numbers),
    st.builds("{} < {} < {}".format, numbers, numbers, numbers),
    st.builds("{}({}, {})".format, st.sampled_from(["crosses_above", "crosses_below"]), numbers, numbers),
    st.builds("{}({}, {})".format, st.sampled_from(["rising", "falling"]), numbers, lengths),
)
conditions = st.recursive(
    compared,
    lambda one: st.one_of(
        st.builds("({} and {})".format, one, one),
        st.builds("({} or {})".format, one, one),
        st.builds("not {}".format, one),
        st.builds("{}({}, {})".format, st.sampled_from(["any", "all"]), one, lengths),
        st.builds("count({}, {}) > 1".format, one, lengths),
        st.builds("bars_since({}, {}) < 3".format, one, lengths),
    ),
    max_leaves=3,
)


def compiled(text: str) -> Rule:
    """The rule; what compares constants, or looks from a higher to a lower interval, is not one."""
    try:
        return compile_rule(text, MINUTE)
    except RuleError:
        assume(False)
        raise


@given(conditions, st.integers(FIRST, LAST), st.integers(0, 1))
@settings(max_examples=200, deadline=None)
def test_a_moment_depends_neither_on_what_comes_after_nor_on_the_batch(text, step, market) -> None:
    rule = compiled(text)
    panels = {name: WHOLE[name] for name in rule.look_back}
    whole = rule.evaluate(panels, FIRST, LAST)
    assert set(np.unique(whole.truth)) <= {-1, 0, 1}
    assert whole.truth.shape == (2, LAST - FIRST + 1)
    ends = last_closed_steps(rule.look_back, MINUTE, step)
    one = slice(market, market + 1)
    alone = rule.evaluate({name: cut(panels[name], ends[name], one) for name in rule.look_back}, step, step)
    assert alone.truth[0, 0] == whole.truth[market, step - FIRST]
    assert list(alone.figures) == list(whole.figures)
    for name, values in alone.figures.items():
        assert values.tobytes() == whole.figures[name][one, step - FIRST : step - FIRST + 1].tobytes()


@given(conditions)
@settings(max_examples=100, deadline=None)
def test_a_rule_never_looks_back_further_than_it_says(text) -> None:
    """Only what forgets its start slowly may look further: rules without one are cut to their look-back."""
    assume(not any(slow in text for slow in ("ema", "rsi", "macd")))
    rule = compiled(text)
    step = LAST
    ends = last_closed_steps(rule.look_back, MINUTE, step)
    panels, short = {}, {}
    for name, candles in rule.look_back.items():
        panels[name] = cut(WHOLE[name], ends[name])
        # Ten at least are looked at for their share of filled ones.
        drop = max(0, panels[name].width - max(candles, 10))
        parts = {
            key: getattr(panels[name], key)[:, drop:] for key in ("open", "high", "low", "close", "volume", "filled")
        }
        short[name] = Panel(panels[name].interval, panels[name].first_step + drop, panels[name].market_ids, **parts)
    np.testing.assert_array_equal(rule.evaluate(short, step, step).truth, rule.evaluate(panels, step, step).truth)


def five_minute_rows(closes: list[float], first: int = 200) -> Panel:
    row = np.array([closes])
    return Panel(FIVE, first, (1,), row, row, row, row, row, np.zeros(row.shape, dtype=np.bool_))


def minute_rows(first: int, count: int) -> Panel:
    row = np.arange(first, first + count, dtype=np.float64)[np.newaxis]
    return Panel(MINUTE, first, (1,), row, row, row, row, row, np.zeros(row.shape, dtype=np.bool_))


def test_a_higher_interval_is_read_from_its_last_closed_candle() -> None:
    rule = compile_rule('sma(1, interval="5m") >= 0', MINUTE)
    panels = {"1m": minute_rows(1000, 15), "5m": five_minute_rows([20.0, 21.0, 22.0], first=199)}
    figures = rule.evaluate(panels, 1000, 1014).figures['sma(1, interval="5m")'][0]
    # The minute 1003 closes when 1004 opens; the five minutes 1000 to 1004 close with 1004.
    np.testing.assert_array_equal(figures, [20.0] * 4 + [21.0] * 5 + [22.0] * 5 + [np.nan])


def test_a_higher_candle_that_is_not_settled_yet_is_unknown() -> None:
    rule = compile_rule('sma(1, interval="5m") > 0', MINUTE)
    panels = {"1m": minute_rows(1000, 15), "5m": five_minute_rows([20.0, np.nan], first=200)}
    assert rule.evaluate(panels, 1000, 1014).truth[0].tolist() == [-1] * 4 + [1] * 5 + [-1] * 6


def test_functions_of_a_higher_interval_count_its_own_candles() -> None:
    rule = compile_rule('sma(1, interval="5m").rising(2)', MINUTE)
    panels = {"1m": minute_rows(1000, 20), "5m": five_minute_rows([1.0, 2.0, 3.0, 1.0], first=199)}
    assert rule.evaluate(panels, 1000, 1019).truth[0].tolist() == [-1] * 9 + [1] * 5 + [0] * 5 + [-1]
    crossing = compile_rule('crosses_above(sma(1, interval="5m"), 2)', MINUTE)
    assert crossing.evaluate(panels, 1004, 1014).truth[0].tolist() == [0] * 5 + [1] * 5 + [0]


def test_a_week_is_read_from_monday_on() -> None:
    day, week = INTERVALS["1d"], INTERVALS["1w"]
    monday = week.offset // 86400 + 7 * 100  # the day's step
    days = Panel(day, monday - 3, (1,), *[np.ones((1, 8))] * 5, filled=np.zeros((1, 8), dtype=np.bool_))
    weeks = Panel(week, 98, (1,), *[np.array([[98.0, 99.0]])] * 5, filled=np.zeros((1, 2), dtype=np.bool_))
    rule = compile_rule('sma(1, interval="1w") > 0', day)
    figures = rule.evaluate({"1d": days, "1w": weeks}, monday - 3, monday + 4).figures['sma(1, interval="1w")'][0]
    # Sunday's close is the week's.
    assert figures.tolist() == [98.0, 98.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0]


def test_too_many_filled_candles_of_a_higher_interval_make_a_rule_unknown() -> None:
    rule = compile_rule('sma(10, interval="5m") > 0 or close > 0', MINUTE)
    higher = five_minute_rows([1.0] * 12, first=190)
    higher.filled[0, 4:10] = True
    truth = rule.evaluate({"1m": minute_rows(1000, 6), "5m": higher}, 1000, 1005).truth
    assert truth[0].tolist() == [-1] * 4 + [-1] * 2
    fewer = higher.filled.copy()
    fewer[0, 4] = False
    higher = replace(higher, filled=fewer)
    assert rule.evaluate({"1m": minute_rows(1000, 6), "5m": higher}, 1000, 1005).truth[0].tolist() == [1] * 6


def test_moments_outside_the_panel_are_unknown() -> None:
    rule = compile_rule("close > 0", MINUTE)
    evaluation = rule.evaluate({"1m": minute_rows(1000, 2)}, 998, 1003)
    assert evaluation.truth[0].tolist() == [-1, -1, 1, 1, -1, -1]
    np.testing.assert_array_equal(evaluation.figures["close"], [[np.nan, np.nan, 1000, 1001, np.nan, np.nan]])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rsi(3) < 30 and close < bollinger(3, 2).lower", ["rsi(3)", "close", "bollinger(3, 2).lower"]),
        ("not (close > open) or close > open", ["close", "open"]),
        ("30 < rsi < 70", ["rsi(14)"]),
        ("close > sma(3) * 1.01", ["close", "sma(3) * 1.01"]),
        ("crosses_above(close, sma(length=3))", ["close", "sma(3)"]),
        ("sma(volume, 3).rising(2)", ["sma(volume, 3)"]),
        ('ema(3, interval="5m") < close', ['ema(3, interval="5m")', "close"]),
        ("(close - open) / (high + 1.50) > -2 * low", ["(close - open) / (high + 1.5)", "-2 * low"]),
        ("macd(2, 4).signal < ago(hl2, 2)", ["macd(2, 4, 9).signal", "ago(hl2, 2)"]),
        (
            "bollinger(3, 2.1234567).lower < bollinger(3, 2.1234568).lower",
            ["bollinger(3, 2.1234567).lower", "bollinger(3, 2.1234568).lower"],
        ),
    ],
)
def test_figures_are_what_is_compared_by_its_normalised_text(text, names) -> None:
    rule = compile_rule(text, MINUTE)
    evaluation = rule.evaluate({name: WHOLE[name] for name in rule.look_back}, LAST - 1, LAST)
    assert list(evaluation.figures) == names
    assert {values.shape for values in evaluation.figures.values()} == {(2, 2)}


def test_equal_parts_are_computed_once(monkeypatch) -> None:
    calls = []
    plain = Indicator.compute
    monkeypatch.setattr(Indicator, "compute", lambda *given, **named: calls.append(given) or plain(*given, **named))
    rule = compile_rule("close < bollinger.lower or close > bollinger(20).upper or bollinger(20, 2) > 0", MINUTE)
    rule.evaluate(WHOLE, FIRST, LAST)
    assert len(calls) == 1


def test_rules_of_a_batch_share_what_they_compute_on_the_panels_they_share(monkeypatch) -> None:
    calls: list[list[str]] = []
    plain = Indicator.compute

    def counted(entry, *series, **named):
        calls.append([entry.name, *sorted(named["outputs"])])
        return plain(entry, *series, **named)

    monkeypatch.setattr(Indicator, "compute", counted)
    texts = [
        "close < bollinger.lower",
        "close > bollinger.upper",
        'rsi(3) < 30 or rsi(3, interval="5m") < 30',
        "rsi(3) > 70",
    ]
    rules = [compile_rule(text, MINUTE) for text in texts]
    memo = Memo(rule.condition for rule in rules)
    shared = [rule.evaluate(WHOLE, FIRST, LAST, memo) for rule in rules]
    assert calls == [["bollinger", "lower", "upper"], ["rsi", "value"], ["rsi", "value"]]
    assert memo.size > 0
    for rule, evaluation in zip(rules, shared, strict=True):
        alone = rule.evaluate(WHOLE, FIRST, LAST)
        assert alone.truth.tobytes() == evaluation.truth.tobytes()
        for name, values in alone.figures.items():
            assert values.tobytes() == evaluation.figures[name].tobytes()


def test_what_was_computed_on_one_panel_is_not_taken_for_another() -> None:
    rule = compile_rule("sma(close, 3) > 100", MINUTE)
    memo = Memo([rule.condition])
    for seed in (1, 2):
        panels = {"1m": panel(MINUTE, FIRST, LAST, seed=seed)}
        assert (
            rule.evaluate(panels, FIRST, LAST, memo).truth.tobytes()
            == rule.evaluate(panels, FIRST, LAST).truth.tobytes()
        )


def test_a_moment_of_a_real_load_has_the_same_bits_in_every_batch_that_shares_it() -> None:
    rule = compile_rule("rsi(14) < 50 and ema(20) > sma(20)", MINUTE)
    step = 5 * 512 + 100
    start = load_starts(rule.look_back, MINUTE, step)["1m"]
    long = panel(MINUTE, start, step + 50, markets=1)
    first = rule.evaluate({"1m": cut(long, step)}, step, step)
    batch = rule.evaluate({"1m": long}, step - 40, step + 50)
    for name, values in first.figures.items():
        assert values[0, 0].tobytes() == batch.figures[name][0, 40].tobytes()


def test_warming_up_twice_does_no_harm() -> None:
    warm_up()
    warm_up()


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_every_output_of_every_indicator_may_stand_in_a_rule(name) -> None:
    entry = find(name)
    source = "close > open" if entry.inputs[0] == "condition" else ""
    for output in entry.outputs:
        rule = compile_rule(f"{name}({source}).{output} > 0", MINUTE)
        evaluation = rule.evaluate(WHOLE, FIRST, LAST)
        assert evaluation.truth.shape == (2, LAST - FIRST + 1)
        (figure,) = evaluation.figures.values()
        assert not np.isinf(figure).any()
