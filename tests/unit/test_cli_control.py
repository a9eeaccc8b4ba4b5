"""Commands that ask a running system: the control function is played by an HTTP server that speaks Lambda's wire."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from cryptowatch.cli import control
from cryptowatch.cli.main import app
from cryptowatch.local.state import DATA_FOLDER, LocalState, write_state

ALERT = {
    "id": 7,
    "watch": "[/dip] below",
    "market": "kraken:BTC/USD",
    "interval": "1h",
    "open_time": "2026-03-01T11:00:00+00:00",
    "close_time": "2026-03-01T12:00:00+00:00",
    "kind": "fired",
    "severity": "high",
    "price": 60123.456,
    "figures": {"rsi(14)": 28.4},
    "deliveries": [{"recipient": "me", "state": "held", "held_by": "late", "sent_at": None}],
}
STATUS = {
    "schema_version": 1,
    "sources": [
        {
            "name": "kraken",
            "last_success": "2026-03-01T12:00:02+00:00",
            "last_error": "time-out [/x]",
            "last_error_at": "2026-03-01T11:00:02+00:00",
            "paused_until": None,
            "lag_seconds": 3.5,
            "markets": 2,
            "candles": 12345,
        }
    ],
    "delisted": [],
    "built": [],
    "series_errors": [{"market": "kraken:XY/USD", "interval": "1h", "error": "not listed", "at": None}],
    "watches": [
        {
            "name": "dip",
            "generation": 2,
            "interval": "1h",
            "markets": 2,
            "alerts": 9,
            "held": {"cooldown": 3, "once": 0, "period": 1},
            "done": 1,
            "starts": None,
            "expires": "2026-03-01T00:00:00+00:00",
            "phase": "expired",
        }
    ],
    "deliveries": {"waiting": 1, "postponed": {"digest": 1}, "sent": 8, "held": {"late": 2}, "uncertain": 0},
    "muted": [{"kind": "tag", "name": "majors", "until": "2026-03-02T13:00:00+00:00"}],
    "queues": {"analysis": {"visible": 3, "in_flight": 1}, "alerts": {"visible": 0, "in_flight": 0}},
    "recipients": [
        {"name": "me", "confirmed": False, "by_click": False},
        {"name": "ann", "confirmed": True, "by_click": True},
    ],
}
CHANGES = {
    "added": ["new"],
    "changed": [{"name": "old", "what": "rule", "keys": ["when"]}],
    "removed": ["gone"],
    "unchanged": ["same"],
    "expired": ["same"],
    "recipients_added": ["me"],
    "recipients_removed": [],
    "recipients_changed": ["me"],
    "pending_gone": ["gone@example.com"],
}


class FakeLambda:
    """What the function will answer, and what it was asked."""

    body: bytes = b'{"ok": true, "result": {}}'
    failed = False
    status = 200

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def answers(self, result: dict[str, Any]) -> None:
        self.body = json.dumps({"ok": True, "result": result}).encode()


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLambda]:
    """A local stack that seems to run in the current folder, with this control function."""
    fake = FakeLambda()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            fake.paths.append(self.path)
            fake.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            fake.may_answer.wait(5)
            self.send_response(fake.status)
            self.send_header("Content-Length", str(len(fake.body)))
            if fake.failed:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            with suppress(BrokenPipeError):  # who asked has given up
                self.end_headers()
                self.wfile.write(fake.body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.chdir(tmp_path)
    DATA_FOLDER.mkdir()
    born = psutil.Process().create_time()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    write_state(DATA_FOLDER, LocalState(os.getpid(), born, endpoint, "us-east-1", "crypto-watch-control", None))
    yield fake
    server.shutdown()
    thread.join(5)
    server.server_close()


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_alerts_are_listed_with_figures_and_what_became_of_them(function: FakeLambda) -> None:
    function.answers({"alerts": [ALERT]})
    code, out, err = run("alerts", "--limit", "5")
    assert (code, err) == (0, "")
    assert function.asked == [{"action": "alerts", "limit": 5}]
    assert function.paths == ["/2015-03-31/functions/crypto-watch-control/invocations"]
    for part in ("2026-03-01 12:00", "kraken:BTC/USD", "[/dip] below", "fired", "rsi(14) 28.4", "me: late"):
        assert part in out


def test_alerts_as_json_are_data(function: FakeLambda) -> None:
    function.answers({"alerts": [ALERT]})
    assert json.loads(run("alerts", "--json")[1]) == [ALERT]


def test_status_tells_what_is_wrong_too(function: FakeLambda) -> None:
    function.answers(STATUS)
    code, out, _ = run("status")
    assert code == 0
    for part in (
        "kraken",
        "12,345",
        "time-out [/x]",
        "kraken:XY/USD 1h: not listed",
        "8 alerts sent",
        "2 late",
        "1 of them for digest",
        "3 cooldown, 1 period",
    ):
        assert part in out
    assert "muted until 2026-03-02 13:00 UTC: tag majors" in out
    assert "not confirmed yet, so they get nothing: me\n" in out
    assert "confirmed by a click, which a click can undo: ann\n" in out
    assert "expired 2026-03-01 00:00" in out
    assert json.loads(run("status", "--json")[1]) == STATUS


def test_apply_sends_the_checked_list_and_shows_what_changed(function: FakeLambda, tmp_path: Path) -> None:
    function.answers(CHANGES)
    watches = tmp_path / "w.yaml"
    watches.write_text(
        "recipients: {me: a@b.org}\nwatches:\n"
        "  - {name: new, markets: [kraken:BTC/USD], interval: 1h, when: close > sma(20), notify: [me]}\n"
    )
    code, out, err = run("apply", str(watches), "--offline", "--dry-run", "--no-estimate")
    assert (code, err) == (0, "")
    (asked,) = function.asked
    assert (asked["action"], asked["dry_run"]) == ("apply", True)
    (watch,) = asked["watch_list"]["watches"]
    assert watch["look_back"] == {"1h": 20}
    assert list(watch["watch"]) == ["name", "markets", "interval", "when", "notify"], "what it says, and no more"
    for line in (
        "added     new",
        "changed   old (when: starts anew)",
        "removed   gone",
        "added     recipient me",
        "changed   recipient me",
        "left      gone@example.com: not confirmed, so nobody can end it; it vanishes after 48 hours",
        "expired   same: it tells nothing any more",
        "1 unchanged",
    ):
        assert line in out
    said = json.loads(run("apply", str(watches), "--offline", "--json", "--no-estimate")[1])
    assert said == {**CHANGES, "estimates": []}


LINK = "https://sns.eu-central-1.amazonaws.com/confirmation.html?TopicArn={}&Token=0123abcd&Endpoint=a@b.org"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


def test_a_link_is_confirmed_by_the_control_function_and_never_opened(function: FakeLambda) -> None:
    function.answers({"confirmed": ["a@b.org"]})
    code, out, err = run("confirm", LINK.format(TOPIC))
    assert (code, out, err) == (0, "confirmed a@b.org: only this account can end it\n", "")
    assert function.asked == [{"action": "confirm", "confirmation": {"topic_arn": TOPIC, "token": "0123abcd"}}]


def test_what_is_no_link_of_sns_is_not_sent(function: FakeLambda) -> None:
    code, _, err = run("confirm", "https://example.com/confirmation.html?TopicArn=x&Token=y")
    assert (code, err.count("\n"), function.asked) == (1, 1, [])
    assert "not the link of SNS's mail" in err


def test_nothing_is_sent_when_the_list_has_problems(function: FakeLambda, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("watches: []\n")
    code, _, err = run("apply", "w.yaml", "--offline")
    assert code == 1
    assert "'watches' is empty" in err
    assert function.asked == []


def test_a_refusal_is_told_in_the_functions_own_words(function: FakeLambda) -> None:
    function.body = b'{"ok": false, "error": "the database is away"}'
    assert run("status") == (1, "", "the database is away\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 300.00 seconds"}', "timed out"),
        (b'{"errorType": "OSError", "errorMessage": "no\\nroute", "stackTrace": ["..."]}', "no route"),
        (b"not json", "not json"),
    ],
)
def test_a_function_that_fails_is_one_clear_line(function: FakeLambda, body: bytes, expected: str) -> None:
    function.failed, function.body = True, body
    code, out, err = run("status")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("the control function of the local stack failed: ")
    assert expected in err


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"ok": true}', b"<html>"])
def test_an_answer_of_another_form_is_one_clear_line(function: FakeLambda, body: bytes) -> None:
    function.body = body
    code, _, err = run("status")
    assert (code, err.count("\n")) == (1, 1)
    assert "gave an answer that cannot be read" in err


def test_a_request_is_never_repeated_by_itself(function: FakeLambda) -> None:
    function.status, function.body = 500, b"{}"
    code, _, err = run("migrate")
    assert (code, err.count("\n")) == (1, 1)
    assert len(function.asked) == 1


def test_a_watch_list_too_long_for_lambda_is_not_sent(
    function: FakeLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "LONGEST_REQUEST", 10)
    code, _, err = run("status")
    assert (code, function.asked) == (1, [])
    assert "too long to send" in err


def test_a_function_that_takes_too_long_is_given_up(function: FakeLambda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PATIENCE_S", 0.05)
    function.may_answer.clear()
    try:
        code, _, err = run("status")
    finally:
        function.may_answer.set()
    assert (code, err) == (1, "the control function of the local stack did not answer within 0.05 s\n")


@pytest.mark.parametrize("command", ["status", "alerts", "migrate"])
def test_without_a_running_stack_the_command_says_what_to_do(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(command)
    assert (code, err.count("\n")) == (1, 1)
    assert "make run" in err
    assert "--stack" in err


def test_a_stack_in_the_cloud_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("lambda", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        missing = "Function not found"
        stub.add_client_error("invoke", "ResourceNotFoundException", missing, 404)
        stub.add_client_error("invoke", "AccessDeniedException", "not\nyours", 403)
        monkeypatch.setattr(boto3.Session, "client", lambda *_, **__: client)
        assert run("status", "--stack", "mine") == (
            1, "", "there is no stack 'mine' in eu-central-1, or it has no function mine-control\n",
        )  # fmt: skip
        code, _, err = run("status", "--stack", "mine")
        assert (code, err.count("\n")) == (1, 1)
        assert "the control function of mine cannot be asked: " in err
        assert "not yours" in err


@pytest.mark.parametrize("option", ["--region", "--profile"])
def test_where_a_stack_is_goes_with_its_name(function: FakeLambda, option: str) -> None:
    code, _, err = run("status", option, "mine")
    assert (code, err.count("\n"), function.asked) == (1, 1, [])
    assert "name it with --stack" in err


def test_a_profile_that_is_not_there_is_one_clear_line() -> None:
    code, _, err = run("status", "--stack", "mine", "--profile", "nobodys")
    assert (code, err.count("\n")) == (1, 1)
    assert "nobodys" in err


def test_a_region_that_is_nowhere_set_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    code, _, err = run("status", "--stack", "mine")
    assert (code, err.count("\n")) == (1, 1)
    assert "region" in err


def test_mute_and_unmute_name_what_is_meant_and_say_until_when(function: FakeLambda) -> None:
    function.answers({"kind": "tag", "name": "majors", "until": "2026-03-02T13:00:00+00:00"})
    assert run("mute", "tag", "majors", "--for", "12h")[:2] == (0, "tag majors is muted until 2026-03-02 13:00 UTC\n")
    asked = {"kind": "tag", "name": "majors", "length": "12h", "until": None}
    assert function.asked[-1] == {"action": "mute", "mute": asked}
    assert run("unmute", "tag", "majors")[0] == 0
    assert function.asked[-1] == {"action": "mute", "mute": {"kind": "tag", "name": "majors"}}


def test_a_mute_needs_one_end(function: FakeLambda) -> None:
    for ends in ((), ("--for", "1h", "--until", "2026-03-01")):
        assert run("mute", "tag", "majors", *ends) == (1, "", "say until when, with one of --for and --until\n")
    assert function.asked == []


def test_ack_names_the_alert(function: FakeLambda) -> None:
    function.answers({"alert_id": 7, "watch": "dip", "market": "kraken:BTC/USD"})
    assert run("ack", "7")[1] == "dip on kraken:BTC/USD is not told again until it is over\n"
    assert function.asked == [{"action": "ack", "alert_id": 7}]


def test_a_new_watch_that_would_send_many_emails_is_warned_of(function: FakeLambda, monkeypatch) -> None:
    made = [{"watch": "loud", "emails_a_day": 41.2, "days": 30, "alerts": 2000}]
    monkeypatch.setattr("cryptowatch.cli.stored_preview.estimates", lambda *_, **__: made)
    function.answers(CHANGES)
    Path("w.yaml").write_text(
        "recipients: {me: a@b.org}\nwatches:\n"
        "  - {name: loud, markets: [kraken:BTC/USD], interval: 1h, when: close > sma(20), notify: [me]}\n"
    )
    _, out, _ = run("apply", "w.yaml", "--offline")
    assert "loud: 41.2 emails a day over 30 days of stored candles: set a cooldown, a digest or max_per_day" in out


def test_a_track_record_is_a_table_with_the_verdict_in_words(function: FakeLambda) -> None:
    spread = {"count": 41, "rose": 0.58, "lower": -0.01, "median": 0.002, "upper": 0.03, "worst": -0.04}
    words = "41 signals: 58% rose within 4h, any moment 51%: within chance"
    horizon = {"span": "4h", "signals": spread, "any": {**spread, "rose": 0.51}, "words": words}
    record = {"watch": "dip", "market": None, "interval": "1h", "from": None, "to": None, "horizons": [horizon]}
    function.answers({"records": [record]})
    code, out, err = run("track-record", "--watch", "dip")
    assert (code, err) == (0, "")
    assert function.asked == [{"action": "track_record", "watch": "dip", "each_market": False}]
    for part in ("all markets, 1h candles", "58%", "51%", "+0.20%", "-1.00% … +3.00%", "within chance"):
        assert part in out
    function.answers({"records": []})
    assert "no track record yet" in run("track-record", "--markets")[1]
    assert function.asked[1]["each_market"]
