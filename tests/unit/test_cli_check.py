"""`cryptowatch check`: what a person and what a program are told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cryptowatch.cli.main import app

GOOD = """\
recipients: {me: you@example.com}
watches:
  - name: "[/dip] below"
    markets: [kraken:BTC/USD]
    interval: 1h
    when: close < sma(20)
    notify: [me]
"""


@pytest.fixture
def watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good watch list in a folder where no local stack runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRYPTOWATCH_EXCHANGE_URL", raising=False)
    path = tmp_path / "watches.yaml"
    path.write_text(GOOD)
    return path


def check(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", "--offline", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_a_good_list_is_shown_with_what_its_rules_read(watches: Path) -> None:
    code, out, err = check(watches)
    assert (code, err) == (0, "")
    assert "[/dip] below" in out
    assert "20 x 1h" in out
    assert "is fine" in out


def test_tags_are_shown_where_there_are_any(watches: Path) -> None:
    assert " tags" not in check(watches)[1]
    watches.write_text(GOOD + "    tags: [majors, dips]\n")
    _, out, _ = check(watches)
    assert " tags" in out
    assert "majors, dips" in out


def test_as_json_it_is_what_apply_would_send(watches: Path) -> None:
    code, out, _ = check(watches, "--json")
    data = json.loads(out)
    assert code == 0
    assert data["watches"][0]["look_back"] == {"1h": 20}
    assert data["watches"][0]["watch"]["for"] == 1


def test_problems_go_to_standard_error_and_the_command_fails(watches: Path) -> None:
    watches.write_text(GOOD.replace("sma", "smaa").replace("[me]", "[you]"))
    code, out, err = check(watches)
    assert (code, out) == (1, "")
    assert err.startswith(f"{watches}:6:19: the rule of watch '[/dip] below': unknown name 'smaa'")
    assert "Traceback" not in err


def test_problems_as_json_are_data_with_places(watches: Path) -> None:
    watches.write_text(GOOD.replace("1h", "2h"))
    code, out, _ = check(watches, "--json")
    (problem,) = json.loads(out)["problems"]
    assert code == 1
    assert (problem["line"], problem["column"]) == (5, 15)
    assert problem["hint"].startswith("one of 1m")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "no such file or directory"), (b"a: \xff\n", "not UTF-8 text"), (b"x" * 4_000_001, "longer than")],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(watches: Path, content: bytes | None, expected: str) -> None:
    watches.unlink()
    if content is not None:
        watches.write_bytes(content)
    code, out, err = check(watches)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert expected in err


def test_a_folder_is_no_watch_list(tmp_path: Path) -> None:
    code, _, err = check(tmp_path)
    assert (code, err) == (1, f"{tmp_path}: is a directory\n")


def test_an_exchange_that_does_not_answer_is_a_warning(watches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTOWATCH_EXCHANGE_URL", "http://127.0.0.1:9")
    result = CliRunner().invoke(app, ["check", str(watches)])
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: kraken")
    assert result.stderr.count("\n") == 1


def test_an_exchange_that_is_not_simulated_is_a_warning_too(watches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watches.write_text(GOOD.replace("kraken:", "bitstamp:"))
    monkeypatch.setenv("CRYPTOWATCH_EXCHANGE_URL", "http://127.0.0.1:9")
    result = CliRunner().invoke(app, ["check", str(watches)])
    assert result.exit_code == 0
    assert "bitstamp is not simulated" in result.stderr


def test_a_rule_that_hardly_means_what_it_says_is_warned_of_and_still_fine(watches: Path) -> None:
    watches.write_text(GOOD.replace("close < sma(20)", "obv > 1000"))
    code, out, err = check(watches)
    assert code == 0
    assert "is fine" in out
    assert err.startswith(
        f"warning: {watches}:6:17: the rule of watch '[/dip] below': obv counts from the first candle"
    )
    assert "\n    obv > 1000\n          ^\n" in err
