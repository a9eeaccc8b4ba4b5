"""Names for parts of a rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.rules import RuleError, compile_rule
from cryptowatch.rules.let import check_let, used_names
from cryptowatch.watches.compiled import rule_of
from cryptowatch.watches.form import Watch

HOUR = INTERVALS["1h"]


def same(text: str, let: dict[str, str], written_out: str) -> bool:
    named = compile_rule(text, HOUR, tuple(let.items()))
    return named.condition == compile_rule(written_out, HOUR).condition


def test_a_name_stands_for_what_it_was_given() -> None:
    assert same("close > trend", {"trend": 'ema(close, 200, interval="4h")'}, 'close > ema(close, 200, interval="4h")')


def test_a_name_may_stand_for_a_condition_an_indicator_with_outputs_or_use_names_before_it() -> None:
    assert same("up and volume > 1", {"up": "close > open"}, "close > open and volume > 1")
    assert same("m.signal > m.histogram", {"m": "macd(12, 26)"}, "macd(12, 26).signal > macd(12, 26).histogram")
    assert same("b > 1", {"a": "close - open", "b": "a / atr(14)"}, "(close - open) / atr(14) > 1")
    assert same("trend.rising(3)", {"trend": "ema(20)"}, "ema(20).rising(3)")


def test_it_is_read_on_the_interval_where_it_stands() -> None:
    assert same('sma(x, 3, interval="4h") > 0', {"x": "high - low"}, 'sma(high - low, 3, interval="4h") > 0')


def test_brackets_are_not_needed_around_a_name() -> None:
    assert same("2 * spread > 1", {"spread": "high - low"}, "2 * (high - low) > 1")


@pytest.mark.parametrize(
    ("let", "message"),
    [
        ((("close", "open"),), "'close' has a meaning of its own"),
        ((("rsi", "open"),), "'rsi' has a meaning of its own"),
        ((("ago", "open"),), "'ago' has a meaning of its own"),
        ((("and", "open"),), "'and' has a meaning of its own"),
        ((("a", "b + 1"),), "unknown name 'b'"),
        ((("a", "a + 1"),), "unknown name 'a'"),
        ((("a", "open +"),), "the rule ends too early"),
    ],
)
def test_a_name_that_is_taken_or_stands_for_nothing_is_refused(let, message) -> None:
    with pytest.raises(RuleError, match=message):
        check_let(let, HOUR)


def test_what_is_wrong_with_the_part_is_told_at_the_name() -> None:
    with pytest.raises(RuleError) as raised:
        compile_rule("close > open and up > 3", HOUR, (("up", "close > open"),))
    assert (raised.value.text, raised.value.offset) == ("close > open and up > 3", 17)


def test_names_of_names_do_not_get_past_the_limits() -> None:
    let = tuple((f"n{number}", f"n{number - 1} + n{number - 1}" if number else "close + open") for number in range(30))
    with pytest.raises(RuleError, match="more than 400 parts"):
        compile_rule("n29 > 0", HOUR, let)
    deep = tuple((f"n{number}", f"-(-(-(n{number - 1})))" if number else "close") for number in range(30))
    with pytest.raises(RuleError, match="nested more than 40 deep"):
        compile_rule("n29 > 0", HOUR, deep)


def test_used_names_are_those_of_the_rules_and_of_what_they_use() -> None:
    let = (("a", "close"), ("b", "a + 1"), ("c", "a + b"))
    assert used_names(["b > 1"], let) == {"a", "b"}


def test_an_alert_says_what_the_names_stand_for() -> None:
    watch = Watch.model_validate(
        {
            "name": "w",
            "markets": ["kraken:BTC/USD"],
            "interval": "1h",
            "when": "close > trend",
            "let": {"trend": "sma(20)"},
            "notify": ["me"],
        }
    )
    assert rule_of(watch).text_of("fired") == "close > trend with trend = sma(20)"


PIECES = st.sampled_from(
    ["a", "b", "c", "close", "open", "rsi(14)", "(", ")", "+", "-", ">", " and ", "not ", "3", ".x", ","]
)


@given(st.lists(st.lists(PIECES, max_size=8).map("".join), min_size=1, max_size=4))
def test_whatever_names_stand_for_it_is_a_rule_or_one_clear_error(texts) -> None:
    let = tuple(zip("abc", texts[1:], strict=False))
    error = None
    try:
        rule = compile_rule(texts[0], HOUR, let)
    except RuleError as raised:
        error = raised
    if error is None:
        assert all(candles > 0 for candles in rule.look_back.values())
    else:
        assert error.message and 0 <= error.offset <= len(error.text)
