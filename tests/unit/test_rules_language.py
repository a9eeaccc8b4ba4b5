"""What a rule may say, what it needs, and what is said of one that is wrong."""

import pytest

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.rules import RuleError, compile_rule

HOUR = INTERVALS["1h"]


@pytest.mark.parametrize(
    ("text", "look_back"),
    [
        ("close > 100", {"1h": 1}),
        ("close > sma(20)", {"1h": 20}),
        ("close > sma", {"1h": 20}),
        ("close > sma(length=50)", {"1h": 50}),
        ("sma(volume, 20) > 5", {"1h": 20}),
        ("sma(sma(10), 5) > 3", {"1h": 14}),
        ("close < bollinger(20, 2).lower", {"1h": 20}),
        ("0 < close / sma(20) - 1 < 0.05", {"1h": 20}),
        ("(close + open) / 2 > hl2 * -1", {"1h": 1}),
        ("not (close > open or close > 3) and volume > 0", {"1h": 1}),
        ("crosses_above(close, sma(20))", {"1h": 21}),
        ("rising(sma(20), 3)", {"1h": 23}),
        ("sma(20).rising(3)", {"1h": 23}),
        ("macd.signal.falling(2)", {"1h": 26 + 300 + 9 + 104 + 2}),
        ("ago(close, 5) < close", {"1h": 6}),
        ("change(close, 5) > 0", {"1h": 6}),
        ("highest(high, 20) > lowest(low, 10)", {"1h": 20}),
        ('sma(20, interval="4h") > 3', {"1h": 1, "4h": 20}),
        ('sma(20, interval="4h").rising(3)', {"1h": 1, "4h": 23}),
        ('sma(20, interval="4h") > close', {"1h": 1, "4h": 20}),
        ('ago(close - sma(20, interval="4h"), 8) > 0', {"1h": 9, "4h": 22}),
        ('sma(sma(5, interval="1d"), 12, interval="4h") > 0', {"1h": 1, "4h": 12, "1d": 7}),
        ('sma(5, interval="1h") > 0', {"1h": 5}),
        ('sma(sma(3, interval="4h"), 5) > 0', {"1h": 1, "4h": 7}),
        ('vwma(sma(3, interval="4h"), 5) > 0', {"1h": 1, "4h": 7}),
        ('sma(sma(3, interval="4h"), 5, interval="1h") > 0', {"1h": 5, "4h": 4}),
        ('sma(sma(3, interval="1d"), 5, interval="4h") > 0', {"1h": 1, "4h": 5, "1d": 4}),
        ('sma(sma(sma(2, interval="1d"), 3), 4) > 0', {"1h": 1, "1d": 7}),
        ('sma(close - sma(3, interval="4h"), 5) > 0', {"1h": 5, "4h": 4}),
        ('any(1 < sma(3, interval="4h") < 2, 5)', {"1h": 1, "4h": 7}),
        ('any(sma(3, interval="4h") > 1 and sma(4, interval="4h") > 1, 5)', {"1h": 1, "4h": 8}),
        ('any(sma(3, interval="4h") > 1 and close > 1, 5)', {"1h": 5, "4h": 4}),
        ("pivot_points > close", {"1h": 49}),
        ('pivot_points(interval="1d") > close', {"1h": 1, "1d": 3}),
        ("close >\n  sma(20)  # its average\n  and volume > 0", {"1h": 20}),
        ("close > 1\r\n and close > 2", {"1h": 1}),
        ("  close > 1_000  ", {"1h": 1}),
    ],
)
def test_a_rule_knows_how_far_it_looks_back(text, look_back) -> None:
    assert compile_rule(text, HOUR).look_back == look_back


@pytest.mark.parametrize(
    ("text", "at", "message", "hint"),
    [
        # names
        ("rsii(14) < 30", "rsii", "unknown name 'rsii'", "did you mean 'rsi'?"),
        ("RSI(14) < 30", "RSI", "unknown name 'RSI'", "did you mean 'rsi'?"),
        ("macdd(12).signal > 0", "macdd", "unknown name 'macdd'", "did you mean 'macd'?"),
        ("macd().signl > 0", "macd", "macd has no output 'signl'", "did you mean 'signal'?"),
        ("sma(20).foo > 0", "sma", "sma has no output 'foo'", "it has value"),
        ("rsi(14).rising", "rsi", "rsi has no output 'rising'", "write rising(3)"),
        ("close.rising", "close", "close has no outputs", "write .rising(3)"),
        ("close.risin(3)", "close", "'risin' is not something a value can do", "did you mean 'rising'?"),
        ("close(3) > 1", "close", "close is a series and takes nothing", "write close"),
        ("ago > 1", "ago", "ago is a function", "write ago(value, candles)"),
        ("count(close, 3) > 1", "close", "a condition is needed here, and close is a number", "compare it: < > <= >="),
        ("any(close > 1, 0)", "0", "any: candles must be a whole number from 1 to 2000", ""),
        ("when(close > 1, 2) > 1", "when", "when takes three arguments", "write when(condition, a, b)"),
        ("min(close) > 1", "min", "min takes two arguments or more", "write min(a, b)"),
        ("abs(close, open) > 1", "abs", "abs takes one argument", "write abs(value)"),
        ("close > max(1, 2)", "max", "max of constants is a constant", "write the number"),
        # types
        ("rsi(14)", "rsi", "a condition is needed here, and rsi(14) is a number", "compare it: < > <= >="),
        (
            "close > 1 and sma(20)",
            "sma",
            "a condition is needed here, and sma(20) is a number",
            "compare it: < > <= >=",
        ),
        ("(close > 1) > 2", "close", "a number is needed here, and close > 1 is a condition", ""),
        ("not close", "close", "a condition is needed here, and close is a number", "compare it: < > <= >="),
        ("sma(close > 1, 3) > 0", "close", "a number is needed here, and close > 1 is a condition", ""),
        ("close > True", "True", "'True' is not a number", ""),
        ("close > '5'", "'5'", "'5' is not a number", ""),
        # parameters
        ("close > 1 and rsi(1) < 3", "rsi", "rsi: length must be a whole number from 2 to 2000, not 1", ""),
        ("rsi(close, 14, 2) < 3", "rsi", "rsi takes at most 1 number: length", ""),
        ("rsi(lenght=3) < 3", "rsi", "rsi has no parameter 'lenght': it has length", ""),
        ("rsi(length=3, length=4) < 3", "length=4", "rsi: a parameter is given once, by its name", ""),
        ("rsi(close, sma(3)) < 3", "sma", "a parameter must be a number", ""),
        ("sma(3 + 4) > 1", "3 + 4", "a constant never changes", ""),
        ("rising(close, 0)", "0", "rising: candles must be a whole number from 1 to 2000", ""),
        ("ago(close, 2.5) > 1", "2.5", "ago: candles must be a whole number from 1 to 2000", ""),
        ("ago(close) > 1", "ago", "ago takes two arguments", "write ago(value, candles)"),
        ("crosses_above(close)", "crosses_above", "crosses_above takes two arguments", "write crosses_above(a, b)"),
        ("rising(5, 3)", "5", "a constant never changes", ""),
        ("crosses_above(1, 2)", "crosses_above", "two constants never cross", ""),
        # intervals
        ('sma(20, interval="2h") > 1', '"2h"', "unknown interval '2h'", "one of 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w"),
        ("sma(20, interval=4) > 1", "4) >", "an interval is a text", 'write it in quotes, like interval="4h"'),
        (
            'sma(20, interval="5m") > 1',
            '"5m"',
            "5m is shorter than 1h, which this part of the rule is read on",
            "",
        ),
        (
            'sma(sma(5, interval="4h"), 12, interval="1d") > 0',
            '"4h"',
            "4h is shorter than 1d, which this part of the rule is read on",
            "",
        ),
        (
            'rising(close, 3, interval="4h")',
            "interval",
            "rising takes no named parameters",
            "give it to the indicators inside",
        ),
        ('sma(20, interval="4h", interval="1d") > 1', 'interval="1d"', "the interval is given twice", ""),
        (
            'close > 1 and pivot_points_camarilla(interval="1w").r4 > 1',
            "pivot_points_camarilla",
            "pivot_points_camarilla is never known on 1w",
            "it needs candles of 1d or shorter",
        ),
        # comparisons
        ("close == 5", "5", "prices are hardly ever equal to the last digit", "compare with < > <= >="),
        ("close in 5", "5", "this compares nothing", "compare with < > <= >="),
        ("1 + 1 < 3", "1 + 1", "this compares two constants: it is always the same", ""),
        ("close > 1 / 0", "0", "this divides by zero", ""),
        ("close / (1 - 1) > 1", "1 - 1", "this divides by zero", ""),
        ("close > 1e16", "1e16", "this number is too large", "at most 1e15"),
        ("close > 1e999", "1e999", "this number is too large", "at most 1e15"),
        # grammar
        ("", "", "the rule is empty", "write a condition, like rsi(14) < 30"),
        (" \n ", "", "the rule is empty", "write a condition, like rsi(14) < 30"),
        ("# nothing", "", "the rule is empty", "write a condition, like rsi(14) < 30"),
        ("close >", None, "the rule ends too early", ""),
        ("close = 5", "= 5", "a rule assigns nothing", "compare with < > <= >="),
        ("rsi(14) = 30", "= 30", "a rule assigns nothing", "compare with < > <= >="),
        ("close > 1 && volume > 1", "&&", "this is not an expression", "write and"),
        ("close > 1 || volume > 1", "||", "this is not an expression", "write or"),
        ("close > 1 AND volume > 1", "AND", "this is not an expression", "write and, in small letters"),
        (
            "close > 1 & volume > 1",
            "1 &",
            "this operator is not part of the rule language",
            "join conditions with and, or",
        ),
        ("close ** 2 > 1", "close", "this operator is not part of the rule language", "there are + - * /"),
        ("rsi(14) crosses_above 30", "crosses", "this is not an expression", ""),
        (
            "close > 1,000",
            "000",
            "a rule is one condition, with no comma in it",
            "join with and, or; write 1000, not 1,000",
        ),
        ("close > (1 + 2", "(1", "this bracket was never closed", ""),
        ("close > 1)", ")", "this bracket was never opened", ""),
        ("close > 1) or (close < 2", ") or", "this bracket was never opened", ""),
        ("close[1] > 2", "close", "there are no [ ] in a rule", "for an earlier candle write ago(x, 1)"),
        (
            "close > 1 if volume > 1 else close > 2",
            "close",
            "this is not part of the rule language",
            "see docs/rules.md",
        ),
        ("(lambda: 1)() > 1", "(lambda", "this is not part of the rule language", "see docs/rules.md"),
        ("__import__('os').system('x') > 1", "__import__", "'system' is not something a value can do", ""),
        ("close.__class__ > 1", "close", "close has no outputs", "indicators have, like macd().signal"),
        ("é > 1 and closs > 2", "é", "unknown name 'é'", ""),
        ("'é' < 1", "'é'", "'é' is not a number", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_to_do(text, at, message, hint) -> None:
    with pytest.raises(RuleError) as raised:
        compile_rule(text, HOUR)
    error = raised.value
    assert (error.message, error.hint) == (message, hint)
    assert error.offset == (len(text.rstrip()) if at is None else text.index(at))


def test_a_caret_stands_under_the_place() -> None:
    with pytest.raises(RuleError) as raised:
        compile_rule("close > 1 and\n\trsii(14) < 30", HOUR)
    error = raised.value
    assert error.show() == "\trsii(14) < 30\n\t^\nunknown name 'rsii' — did you mean 'rsi'?"


@pytest.mark.parametrize(
    "before", ["é > 1 and ", "close > 1 and\r\n", "close > 1 and\r\n\r\n  ", "close > 1 # ))\n and "]
)
def test_the_place_is_counted_in_characters_of_the_text(before) -> None:
    before = before.replace("é", "close") + "'é' < "
    with pytest.raises(RuleError) as raised:
        compile_rule(before + "closs", HOUR)
    assert raised.value.offset == before.index("'é'")
    with pytest.raises(RuleError) as raised:
        compile_rule(before.replace("'é'", "1") + "closs", HOUR)
    assert raised.value.offset == len(before) - 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("close > 1" + " " * 2000, "a rule has at most 2000 characters, this one 2009"),
        (" and ".join(["close > 1"] * 140), "the rule has more than 400 parts"),
        ("-" * 60 + "close > 1", "the rule is nested more than 40 deep"),
        ("not " * 450 + "close > 1", "the rule is nested more than 40 deep"),
        ("(" * 900 + "close" + ")" * 900 + " > 1", None),
        ("-" * 1900 + "close > 1", None),
        ("ema(ema(2000), 2000) > 1", "the rule looks back 50051 candles of 1h, more than 50000"),
        ("ema(1996) + ema(1997) + ema(1998) + ema(1999) + ema(2000) + open + high + low > 1", "figures to compute"),
        ("close > 9" + "9" * 1900, "this number is too large"),
        ("close > 9**9**9**9**9", "this operator is not part of the rule language"),
        ("close > '" + "a" * 1900 + "'", "is not a number"),
    ],
)
def test_a_hostile_rule_is_refused_at_once(text, message) -> None:
    with pytest.raises(RuleError) as raised:
        compile_rule(text, HOUR)
    if message is not None:
        assert message in raised.value.message


def test_a_rule_keeps_its_text_and_interval() -> None:
    rule = compile_rule("close > 1", HOUR)
    assert (rule.text, rule.interval) == ("close > 1", HOUR)


def test_a_flag_stands_for_itself() -> None:
    text = compile_rule("hammer(10, 2, 0.1) and not engulfing(10).bearish", HOUR).condition.text
    assert text == "(hammer(10, 2, 0.1) > 0) and not (engulfing(10).bearish > 0)"
    with pytest.raises(RuleError, match="a condition is needed here"):
        compile_rule("rsi and hammer", HOUR)


def test_a_condition_where_an_indicator_needs_one() -> None:
    assert compile_rule("bars_since(crosses_above(close, sma(20))) < 5", HOUR).look_back["1h"] > 500
    with pytest.raises(RuleError, match="bars_since needs a condition"):
        compile_rule("bars_since(5) < 3", HOUR)
    with pytest.raises(RuleError, match="a condition is needed here"):
        compile_rule("bars_since(close) < 3", HOUR)


def test_a_watch_on_weeks_has_no_pivot_points() -> None:
    with pytest.raises(RuleError, match="pivot_points is never known on 1w"):
        compile_rule("pivot_points > close", INTERVALS["1w"])


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ('sma(rsi(14, interval="4h"), 5) > 1', 'sma(rsi(14, interval="4h"), 5) > 1'),
        ('sma(rsi(14, interval="4h"), 5, interval="4h") > 1', 'sma(rsi(14), 5, interval="4h") > 1'),
        ('sma(rsi(14, interval="4h"), 5, interval="1h") > 1', 'sma(rsi(14, interval="4h"), 5, interval="1h") > 1'),
        ('sma(rsi(14), 5, interval="1h") > 1', "sma(rsi(14), 5) > 1"),
    ],
)
def test_a_rule_is_shown_with_the_intervals_that_it_needs(text, normalised) -> None:
    assert compile_rule(text, HOUR).condition.text == normalised
    assert compile_rule(normalised, HOUR).condition.text in (normalised, text)
