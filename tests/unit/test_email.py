from datetime import UTC, datetime

import pytest

from cryptowatch.alerts.email import IN_FULL, MOST_BYTES, AlertText, format_number, render


def alert(number: int = 1, **changes) -> AlertText:
    fields = {
        "alert_id": number,
        "watch": "BTC oversold",
        "market": "kraken:BTC/USD",
        "interval": "1h",
        "kind": "fired",
        "severity": "info",
        "rule": "rsi(14) < 30",
        "close_time": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "price": 61234.5,
        "figures": {"rsi(14)": 28.41237},
    }
    return AlertText(**{**fields, **changes})


def test_one_alert_says_what_where_when_and_the_values() -> None:
    email = render([alert()])
    assert email.subject == "BTC oversold: kraken:BTC/USD is true at 61,234.5"
    for text in ("rsi(14) < 30", "closed 2026-03-02 12:00 UTC", "61,234.5", "rsi(14)  28.4124", "not advice"):
        assert text in email.body


@pytest.mark.parametrize(
    ("kind", "subject", "line"),
    [
        ("fired", "is true", "Now:    rsi(14) < 30"),
        ("repeated", "is still true", "Still:  rsi(14) < 30"),
        ("resolved", "is over", "Over:   rsi(14) < 30"),
    ],
)
def test_it_says_whether_it_is_new_goes_on_or_is_over(kind: str, subject: str, line: str) -> None:
    email = render([alert(kind=kind)])
    assert email.subject == f"BTC oversold: kraken:BTC/USD {subject} at 61,234.5"
    assert line in email.body.splitlines()


def test_several_alerts_are_one_email_the_most_severe_first() -> None:
    email = render([alert(1), alert(2, severity="high", watch="Crash", market="kraken:ETH/USD")])
    assert email.subject == "[HIGH] 2 alerts on 2 markets: Crash and 1 more"
    assert email.body.index("Crash") < email.body.index("BTC oversold")


def test_beyond_a_number_the_rest_is_a_table() -> None:
    email = render([alert(number) for number in range(IN_FULL + 30)])
    assert email.body.count("Candle:") == IN_FULL
    assert email.body.count("BTC oversold") >= IN_FULL + 30


def test_a_thousand_alerts_fit_into_what_sns_takes() -> None:
    long_rule = "rsi(14) < 30 and " * 100 + "close > 1"
    email = render([alert(number, rule=long_rule, watch="w" * 80) for number in range(3000)])
    assert len(email.body.encode()) < MOST_BYTES + 1000
    assert "more lines; see `cryptowatch alerts`" in email.body


def test_the_subject_is_one_ascii_line_that_sns_takes() -> None:
    email = render([alert(watch="Überverkauft\n" + "x" * 200)])
    assert len(email.subject) < 100
    assert email.subject.isascii()
    assert email.subject.isprintable()
    assert render([alert(title="\n {symbol} ")]).subject == "BTC/USD", "a subject that begins with a space is refused"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (61234.5, "61,234.5"),
        (0.000012345678, "0.0000123457"),
        (1.0, "1"),
        (0.0, "0"),
        (None, "unknown"),
        (-2.5, "-2.5"),
        (1e-12, "1e-12"),
        (1234567.0, "1,234,567"),
        (28.41237, "28.4124"),
    ],
)
def test_figures_are_read_at_a_glance(value, text) -> None:
    assert format_number(value) == text
