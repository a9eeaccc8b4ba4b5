"""Whatever text comes: a rule, or a clear error, and soon."""

import os
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptowatch.indicators import names
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.markets.panel import Panel
from cryptowatch.rules import Rule, RuleError, check, compile_rule, functions

#: `make fuzz` tries as many times as many.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
MINUTE = INTERVALS["1m"]
#: Seconds that checking any text may take, on a slow machine.
SOON = 1.0

ONES = np.linspace(1, 2, 12).reshape(2, 6)
PANELS = {
    name: Panel(interval, 0, (1, 2), *[ONES] * 5, filled=np.zeros(ONES.shape, dtype=np.bool_))
    for name, interval in INTERVALS.items()
}

words = st.sampled_from(
    [
        *check.SERIES,
        *functions.FORMS,
        *names(),
        "signal",
        "lower",
        "and",
        "or",
        "not",
        "if",
        "else",
        "lambda",
        "for",
        "in",
        "is",
        "True",
        "None",
        "interval",
        "length",
        "self",
        "__class__",
        "_",
    ]
)
signs = st.sampled_from(
    [
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        ":",
        ";",
        "=",
        "==",
        "<",
        "<=",
        ">",
        ">=",
        "!=",
        "+",
        "-",
        "*",
        "/",
        "//",
        "**",
        "%",
        "&",
        "|",
        "&&",
        "||",
        "!",
        "~",
        "@",
        "#",
        "\\",
        "'",
        '"',
        "\n",
        "\t",
        "\r",
    ]
)
numbers = st.sampled_from(["0", "1", "2", "14", "-3", "1e999", "0x10", "1_000", "1j", "007", "9" * 40, "2000", "2001"])
strings = st.sampled_from(['"4h"', "'1d'", '"1s"', "f'{close}'", "b'x'", '"""', "'é'"])
soup = st.lists(st.one_of(words, signs, numbers, strings), max_size=40).map(" ".join)
tight = st.lists(st.one_of(words, signs, numbers, strings), max_size=30).map("".join)

GOOD = [
    'rsi(14) < 30 and close < bollinger(20, 2).lower and ema(200, interval="4h").rising(3)',
    "count(close > max(open, sma(3)), 3) > 1 and any(hour < 3, 2) or when(doji, 1, log(low)) > weekday",
    "crosses_above(close, sma(10)) or not (0 < macd(12, 26, 9).histogram <= highest(high, 5) / 2)",
]


@st.composite
def damaged(draw) -> str:
    """A good rule with a few characters taken out, put in or doubled."""
    text = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 6)))
        text = (
            text[:start]
            + draw(st.one_of(signs, words, numbers, st.text(max_size=3), st.just(text[start:stop] * 2)))
            + text[stop:]
        )
    return text


def check(text: str) -> Rule | None:
    begun = time.perf_counter()
    said: RuleError | None = None
    rule = None
    try:
        rule = compile_rule(text, MINUTE)
    except RuleError as error:
        said = error
    assert time.perf_counter() - begun < SOON
    if said is not None:
        assert said.message
        assert 0 <= said.offset <= len(text)
        line, pointer = said.show().split("\n")[:2]
        assert pointer.strip() == "^"
        assert line in text
    return rule


def check_and_evaluate(text: str) -> None:
    rule = check(text)
    if rule is not None:
        assert rule.look_back["1m"] >= 1
        evaluation = rule.evaluate({name: PANELS[name] for name in rule.look_back}, 0, 5)
        assert set(np.unique(evaluation.truth)) <= {-1, 0, 1}


@given(st.text(max_size=200))
@settings(max_examples=2000 * TIMES, deadline=None)
def test_any_text(text) -> None:
    check_and_evaluate(text)


@given(soup)
@settings(max_examples=3000 * TIMES, deadline=None)
def test_any_words(text) -> None:
    check_and_evaluate(text)


@given(tight)
@settings(max_examples=2000 * TIMES, deadline=None)
def test_any_words_without_spaces(text) -> None:
    check_and_evaluate(text)


@given(damaged())
@settings(max_examples=3000 * TIMES, deadline=None)
def test_damaged_rules(text) -> None:
    check_and_evaluate(text)


@given(
    st.sampled_from(
        ["(", "-", "not ", "sma(", "rising(", "close+", "close<", "close and ", "a.", "[", "{", "'", "#", "lambda:"]
    )
)
@settings(max_examples=50, deadline=None)
def test_any_part_repeated_to_the_limit(part) -> None:
    for text in (part * (2000 // len(part)), part * (1900 // len(part)) + "close > 1", part * 30 + "close"):
        check(text)
