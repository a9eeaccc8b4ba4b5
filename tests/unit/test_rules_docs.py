"""The rule reference says what is so."""

import re
from pathlib import Path

import pytest

from cryptowatch.indicators import CATALOGUE
from cryptowatch.indicators.catalogue import LONGEST
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.rules import RuleError, calls, check, compile_rule, parse, rule

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text()


@pytest.mark.parametrize("example", re.findall(r"```\n(.*?)\n```", TEXT, re.DOTALL))
def test_every_example_is_a_rule(example) -> None:
    compile_rule(example, INTERVALS["1h"])


def test_every_indicator_is_there_with_its_defaults_and_outputs() -> None:
    for entry in CATALOGUE.values():
        defaults = ", ".join(f"{one.name}={one.default:g}" for one in entry.parameters)
        (row,) = (line for line in TEXT.splitlines() if line.startswith(f"| `{entry.name}` |"))
        assert f"| `{defaults}` |" in row
        named = re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])
        assert named == (list(entry.outputs) if len(entry.outputs) > 1 else [])


def test_every_series_and_function_is_there() -> None:
    for name in (*check.SERIES, *calls.FUNCTIONS):
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
    assert f"from 1 to {calls.LONGEST_WINDOW}" in limits
    assert (rule.MAX_FILLED_SHARE, rule.LEAST_TRUSTED) == (0.5, 10)
    assert compile_rule("rsi(14) < 30", INTERVALS["1h"]).look_back == {"1h": 326}


def test_the_error_shown_is_the_one_that_is_told() -> None:
    (shown,) = re.findall(r"```text\n(.*?)\n```", TEXT, re.DOTALL)
    with pytest.raises(RuleError) as raised:
        compile_rule(shown.split("\n")[0], INTERVALS["1h"])
    assert raised.value.show() == shown
