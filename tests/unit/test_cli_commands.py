"""The command line itself: help, indicators, the options of `local run`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cryptowatch.cli.main import app


def names(group: Any, path: str = "") -> list[str]:
    """Every command, those of groups too."""
    found: list[str] = []
    for name, command in group.commands.items():
        found += names(command, f"{path}{name} ") if hasattr(command, "commands") else [f"{path}{name}"]
    return found


COMMANDS = names(typer.main.get_command(app))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert f"cryptowatch {command}" in " ".join(result.stdout.split("Usage:", 1)[1].split("\n", 1)[1].split())


def test_help_comes_quickly_since_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, cryptowatch.cli.main; "
        "print([name for name in ('numba', 'ccxt', 'boto3', 'pydantic', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_indicators_are_described_from_the_catalogue() -> None:
    result = CliRunner().invoke(app, ["indicators"])
    assert result.exit_code == 0
    assert "bollinger(close, length=20, deviations=2)" in result.stdout


def test_one_indicator_as_json() -> None:
    result = CliRunner().invoke(app, ["indicators", "bollinger", "--json"])
    (entry,) = json.loads(result.stdout)
    assert entry["parameters"][0] == {"name": "length", "default": 20, "least": 2, "most": 2000, "whole": True}
    assert entry["outputs"]["lower"] == "price"
    assert entry["look_back"] == 20


def test_one_indicator_is_told_with_formula_ranges_and_engine() -> None:
    told = CliRunner().invoke(app, ["indicators", "macd"]).stdout
    assert told.startswith("macd(close, fast=12, slow=26, signal=9)  Moving average convergence/divergence\n")
    assert "ranges: fast 1 to 2000, slow 2 to 2000, signal 1 to 2000; fast < slow\n" in told
    assert "first value: after 25 to 33 candles\n" in told
    assert "computed by: numba\n" in told


def test_an_unknown_indicator_is_told_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["indicators", "bolinger"])
    assert (result.exit_code, result.stderr) == (1, "unknown indicator 'bolinger': did you mean 'bollinger'?\n")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """With what the local stack was started; it ends at once with 3."""
    import cryptowatch.local.run

    calls: list[tuple[Any, ...]] = []

    def run(*arguments: Any) -> int:
        calls.append(arguments)
        return 3

    monkeypatch.setattr(cryptowatch.local.run, "run", run)
    return calls


def test_local_run_hands_its_options_on_and_ends_as_the_run_does(
    started: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    watches = tmp_path / "w.yaml"
    watches.write_text("recipients:\n")
    arguments = ["--source", "replay", "--replay", str(tmp_path), "--speed", "60", "--watches", str(watches)]
    arguments += ["--until-emails", "2", "--timeout", "30"]
    result = CliRunner().invoke(app, ["local", "run", *arguments])
    assert result.exit_code == 3
    assert started == [("replay", tmp_path, 60.0, watches, 2, 30.0, 0)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--source", "replay"], "--replay FOLDER"),
        (["--source", "live", "--replay", "."], "--replay goes with --source replay"),
        (["--source", "live", "--speed", "5"], "--speed is for simulated and recorded markets"),
        (["--replay", "nowhere"], "nowhere: no such folder"),
        (["--watches", "nowhere.yaml"], "nowhere.yaml: no such file or directory"),
    ],
)
def test_options_that_do_not_go_together_are_one_clear_line(
    started: list[tuple[Any, ...]], arguments: list[str], expected: str
) -> None:
    result = CliRunner().invoke(app, ["local", "run", *arguments])
    assert (result.exit_code, result.stderr.count("\n"), started) == (1, 1, [])
    assert expected in result.stderr
