"""What breaks while the deployed local stack works: no alert lost, none twice, none withheld as late."""

import base64
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from bench.expected import expected_alerts
from cryptowatch.local.origin import Origin
from cryptowatch.local.postgres import Postgres
from cryptowatch.local.stack import LocalStack
from cryptowatch.markets.interval import interval_named
from cryptowatch.queues import depth
from cryptowatch.rules import compile_rule
from cryptowatch.store.database import Connection, connect, transaction

RULE = "close > sma(3)"
MARKETS = [f"binance:{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK")]
PEOPLE = {"ann": "ann@example.com", "bob": "bob@example.com"}


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    folder = tempfile.TemporaryDirectory(prefix="cw")
    Path(folder.name).chmod(0o755)  # PostgreSQL runs as another user when we are root
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    made = LocalStack(Path(folder.name), Origin("simulated", "drill", "simulated", 30.0, start, None), print)
    try:
        made.start()
        watch = {"name": "drill", "markets": MARKETS, "interval": "1m", "when": RULE, "notify": list(PEOPLE)}
        checked = [{"watch": watch, "look_back": compile_rule(RULE, interval_named("1m")).look_back}]
        made.control({"action": "apply", "watch_list": {"recipients": PEOPLE, "watches": checked}})
        made.mail.sync()
        made.run_clock()
        yield made
    finally:
        made.stop()
        made.postgres.stop()
        folder.cleanup()


def count(connection: Connection, what: str) -> int:
    with transaction(connection) as cursor:
        cursor.execute(f"SELECT count(*) FROM {what}")
        return cursor.fetchone()[0]


def wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.2)


def alerts_as_they_should_be(connection: Connection) -> set[tuple[int, datetime]]:
    with transaction(connection, snapshot=True) as cursor:
        return expected_alerts(cursor, RULE)


def kill_in_a_task(stack: LocalStack, connection: Connection, kill: Callable[[psutil.Process], object]) -> None:
    """Hold the rows a task must lock, kill while it waits for them, and see that alerts go on."""
    with closing(connect(stack.settings())) as holder, transaction(holder) as cursor:
        cursor.execute("SELECT 1 FROM watch_state FOR UPDATE")
        blocked = "pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE OF state%'"
        wait_for(lambda: count(connection, blocked) > 0, 30)
        kill(psutil.Process(stack.fleet.pids()[0]))
    before = count(connection, "alerts")
    wait_for(lambda: stack.fleet.adjust() or count(connection, "alerts") >= before + 5, 150)


def test_nothing_is_lost_doubled_or_late_whatever_breaks(stack: LocalStack) -> None:
    with closing(connect(stack.settings())) as connection:
        wait_for(lambda: count(connection, "alerts") >= 3)
    # The database is away for ten seconds.
    stack.postgres.stop()
    back = time.monotonic() + 10
    wait_for(lambda: time.monotonic() > back)
    stack.postgres = Postgres(stack.folder)

    sqs, lambda_ = stack.emulator.client("sqs"), stack.emulator.client("lambda")
    with closing(connect(stack.settings())) as connection:
        wait_for(lambda: count(connection, "alerts") >= 5)

        # A pool child is killed in a task, then a whole worker with all its children.
        kill_in_a_task(stack, connection, lambda worker: [child.kill() for child in worker.children(recursive=True)])
        kill_in_a_task(stack, connection, lambda worker: os.killpg(worker.pid, signal.SIGKILL))

        # The same messages three times, and such that nobody can read.
        with transaction(connection) as cursor:
            cursor.execute("SELECT id FROM alerts ORDER BY id LIMIT 5")
            ids = [row[0] for row in cursor.fetchall()]
        for _ in range(3):
            body = json.dumps({"version": 1, "alert_ids": ids})
            sqs.send_message(QueueUrl=stack.outputs.alerts_queue_url, MessageBody=body)
        for body in unreadable():
            sqs.send_message(QueueUrl=stack.outputs.analysis_queue_url, MessageBody=body)
        sqs.send_message(QueueUrl=stack.outputs.alerts_queue_url, MessageBody="garbage")

        # SNS is away for a minute: every publish fails while the function's topic is one that does not exist.
        notify = stack.outputs.notify_function
        variables = lambda_.get_function_configuration(FunctionName=notify)["Environment"]["Variables"]
        broken = {**variables, "ALERT_TOPIC_ARN": variables["ALERT_TOPIC_ARN"] + "-away"}
        lambda_.update_function_configuration(FunctionName=notify, Environment={"Variables": broken})
        back = time.monotonic() + 60
        tried = "deliveries WHERE attempts > 0 AND sent_at IS NULL"
        wait_for(lambda: count(connection, tried) > 0, 90)
        wait_for(lambda: time.monotonic() > back, 70)
        lambda_.update_function_configuration(FunctionName=notify, Environment={"Variables": variables})

        before = count(connection, "deliveries WHERE sent_at IS NOT NULL")
        wait_for(lambda: count(connection, "deliveries WHERE sent_at IS NOT NULL") > before + 10, 120)
        assert stack.driver is not None
        assert stack.driver.failure is None
        stack.driver.stop()
        wait_for(lambda: count(connection, "deliveries WHERE sent_at IS NULL AND held_by IS NULL") == 0, 120)

        with transaction(connection) as cursor:
            cursor.execute("SELECT market_id, open_time FROM alerts")
            are = cursor.fetchall()
        assert len(are) == len(set(are))
        assert set(are) == alerts_as_they_should_be(connection)
        assert count(connection, "deliveries WHERE held_by IS NOT NULL") == 0
        assert count(connection, "deliveries") == len(are) * len(PEOPLE)
        assert count(connection, "deliveries WHERE uncertain > 0") == 0
        emails = count(connection, "(SELECT DISTINCT recipient, email_id FROM deliveries) AS email")
        wait_for(lambda: len(stack.mail.emails()) >= emails, 20)
        assert len(stack.mail.emails()) == emails


def test_what_nobody_can_read_ends_in_the_dead_letter_queues_and_blocks_nothing(stack: LocalStack) -> None:
    sqs = stack.emulator.client("sqs")
    for url in (stack.outputs.analysis_queue_url, stack.outputs.alerts_queue_url):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})  # five tries within seconds
    bodies = unreadable()
    for body in bodies:
        sqs.send_message(QueueUrl=stack.outputs.analysis_queue_url, MessageBody=body)
    for body in ("garbage", '{"version": 9}', '{"version": 1, "alert_ids": [999999]}'):
        sqs.send_message(QueueUrl=stack.outputs.alerts_queue_url, MessageBody=body)
    wait_for(lambda: depth(sqs, stack.outputs.analysis_dead_letter_queue_url)["visible"] == len(bodies), 120)
    wait_for(lambda: depth(sqs, stack.outputs.alerts_dead_letter_queue_url)["visible"] == 3, 120)
    with closing(connect(stack.settings())) as connection:
        before = count(connection, "deliveries WHERE sent_at IS NOT NULL")
        wait_for(lambda: count(connection, "deliveries WHERE sent_at IS NOT NULL") > before, 60)
    log = (stack.folder / "logs" / "worker-1.log").read_text()
    for line in ("undecodable message", "unknown message", "not a message of version 1", "no markets with the ids"):
        assert line in log


def unreadable() -> list[str]:
    """Messages on the analysis queue that no worker can do."""
    headers = {"task": "analyse", "id": "1", "lang": "py", "argsrepr": "", "kwargsrepr": ""}
    properties = {
        "correlation_id": "1",
        "delivery_info": {"exchange": "", "routing_key": "analysis"},
        "delivery_tag": "1",
    }

    def envelope(body: str, **changes: object) -> str:
        whole = {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {**properties, "body_encoding": "base64"},
            **changes,
        }
        return base64.b64encode(json.dumps(whole).encode()).decode()

    def task(**arguments: object) -> str:
        return base64.b64encode(json.dumps([[], arguments, {}]).encode()).decode()

    return [
        "garbage",
        "{}",
        envelope(base64.b64encode(b"\xff{not json").decode()),
        envelope(task(version=2, interval_s=60, market_ids=[1], wal="0/0")),
        envelope(task(version=1, interval_s=60, market_ids=[999_999], wal="0/0")),
        envelope(task(version=1, interval_s="x", market_ids=[1], wal="0/0")),
        envelope(task(version=1, interval_s=60, market_ids=[1]), headers={**headers, "task": "unknown"}),
    ]
