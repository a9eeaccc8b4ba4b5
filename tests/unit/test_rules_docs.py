"""The rule reference says what is so."""

import re
from pathlib import Path

import pytest

from cryptowatch.indicators import CATALOGUE
from cryptowatch.indicators.catalogue import LONGEST
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.rules import RuleError, check, compile_rule, functions, parse, rule
from cryptowatch.watches.document import read_document

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text()


#: The code blocks that name no other language.
EXAMPLES = [text for language, text in re.findall(r"```(\w*)\n(.*?)\n```", TEXT, re.DOTALL) if not language]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_rule(example) -> None:
    compile_rule(example, INTERVALS["1h"])


def test_the_names_that_the_example_of_let_gives_are_read_as_it_says() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)\n```", TEXT, re.DOTALL)
    given = read_document(text.replace("\n    ", "\n").removeprefix("    ")).data
    let = tuple(given["let"].items())
    for key in ("when", "until"):
        compile_rule(given[key], INTERVALS["1h"], let)


def test_every_indicator_that_is_named_is_there() -> None:
    table = TEXT[TEXT.index("| averages |") : TEXT.index("Parameters are given in order")]
    calls = re.findall(r"`([^`]+)`", table)
    assert len(calls) > 30
    for call in calls:
        flag = call in ("engulfing.bullish", "hammer", "morning_star", "squeeze.on", "supertrend(10, 3).long")
        compile_rule(call if flag else f"{call} > 0", INTERVALS["1h"])


def test_every_series_and_function_is_there() -> None:
    for name in (*check.SERIES, *functions.FORMS):
        assert re.search(rf"[`\s]{name}[`(\s]", TEXT), name


def test_the_truth_table_is_kleenes() -> None:
    order = ["false", "unknown", "true"]
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|$", TEXT, re.MULTILINE)
    table = [row for row in rows if row[0] in order]
    assert len(table) == 9
    for a, b, both, either, negated in table:
        assert both == min(a, b, key=order.index)
        assert either == max(a, b, key=order.index)
        assert negated == order[2 - order.index(a)]


def test_what_counts_from_its_first_candle_is_named() -> None:
    named = next(line for line in TEXT.splitlines() if "count from the first candle that is loaded" in line)
    assert set(re.findall(r"`(\w+)`", named)) == {name for name, entry in CATALOGUE.items() if entry.cumulative}


def test_the_limits_are_those_of_the_code() -> None:
    limits = re.sub(r"\s+", " ", TEXT)
    for number, unit in (
        (parse.LONGEST_TEXT, "characters"),
        (parse.MOST_NODES, "parts"),
        (parse.DEEPEST, "deep"),
        (check.LONGEST_LOOK_BACK, "candles of an interval"),
        (check.MOST_FIGURES, "figures"),
    ):
        assert f"{number:,} {unit}" in limits
    assert f"up to {LONGEST} candles" in limits
    assert f"from 1 to {functions.LONGEST_WINDOW}" in limits
    assert (rule.MAX_FILLED_SHARE, rule.LEAST_TRUSTED) == (0.5, 10)
    assert compile_rule("rsi(14) < 30", INTERVALS["1h"]).look_back == {"1h": 466}


def test_the_error_shown_is_the_one_that_is_told() -> None:
    (shown,) = re.findall(r"```text\n(.*?)\n```", TEXT, re.DOTALL)
    with pytest.raises(RuleError) as raised:
        compile_rule(shown.split("\n")[0], INTERVALS["1h"])
    assert raised.value.show() == shown
