"""The mail catcher on a real emulator: who gets what, as files that a mail program opens."""

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psutil
import pytest

from cryptowatch.local.deploy import Emulator
from cryptowatch.local.emulator import start_emulator, wait_for_emulator
from cryptowatch.local.mail import MailCatcher


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    child, emulator = start_emulator(folder, {})
    try:
        wait_for_emulator(child, emulator)
        yield emulator
    finally:
        child.stop()
        shutil.rmtree(folder)


@pytest.fixture
def topic(emulator: Emulator, request: pytest.FixtureRequest) -> str:
    return str(emulator.client("sns").create_topic(Name=request.node.name[:100])["TopicArn"])


@pytest.fixture
def catcher(emulator: Emulator, topic: str, tmp_path: Path) -> Iterator[MailCatcher]:
    made = MailCatcher(emulator, topic, tmp_path / "mail")
    yield made
    made.stop()


def subscribe(emulator: Emulator, topic: str, address: str, *names: str) -> str:
    answer = emulator.client("sns").subscribe(
        TopicArn=topic,
        Protocol="email",
        Endpoint=address,
        Attributes={"FilterPolicy": json.dumps({"recipient": names})},
        ReturnSubscriptionArn=True,
    )
    return str(answer["SubscriptionArn"])


def publish(emulator: Emulator, topic: str, recipient: str, text: str = "It fell.") -> str:
    answer = emulator.client("sns").publish(
        TopicArn=topic,
        Subject=f"for {recipient}",
        Message=text,
        MessageAttributes={"recipient": {"DataType": "String", "StringValue": recipient}},
    )
    return str(answer["MessageId"])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def read(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_each_recipient_gets_what_its_filter_policy_lets_through(
    emulator: Emulator, topic: str, catcher: MailCatcher
) -> None:
    subscribe(emulator, topic, "ann@example.com", "ann")
    subscribe(emulator, topic, "bob@example.com", "bob")
    catcher.sync()
    publish(emulator, topic, "ann")
    publish(emulator, topic, "nobody")
    publish(emulator, topic, "bob")
    until(lambda: len(catcher.emails()) == 2)
    assert {(str(read(path)["To"]), str(read(path)["Subject"])) for path in catcher.emails()} == {
        ("ann@example.com", "for ann"),
        ("bob@example.com", "for bob"),
    }


def test_an_email_is_a_file_that_mail_programs_open(emulator: Emulator, topic: str, catcher: MailCatcher) -> None:
    subscribe(emulator, topic, "ann@example.com", "ann")
    catcher.sync()
    text = "BTC/USD fell to 59,221.66 — it was “oversold”.\n" + "x" * 300
    identity = publish(emulator, topic, "ann", text)
    until(lambda: len(catcher.emails()) == 1)
    email = read(catcher.emails()[0])
    assert str(email["From"]) == "Crypto Watch <no-reply@sns.amazonaws.com>"
    assert identity in str(email["Message-ID"])
    assert email["Date"].datetime.tzinfo is not None
    assert email.get_content().startswith(text)
    assert "it was “oversold”".encode() in catcher.emails()[0].read_bytes()


def test_recipients_that_come_go_and_change_are_followed(emulator: Emulator, topic: str, catcher: MailCatcher) -> None:
    gone = subscribe(emulator, topic, "ann@example.com", "ann")
    changed = subscribe(emulator, topic, "bob@example.com", "bob")
    catcher.sync()
    sns = emulator.client("sns")
    sns.unsubscribe(SubscriptionArn=gone)
    sns.set_subscription_attributes(
        SubscriptionArn=changed, AttributeName="FilterPolicy", AttributeValue=json.dumps({"recipient": ["robert"]})
    )
    subscribe(emulator, topic, "eve@example.com", "eve")
    catcher.sync()
    for name in ("ann", "bob", "robert", "eve"):
        publish(emulator, topic, name)
    until(lambda: len(catcher.emails()) == 2)
    assert {str(read(path)["Subject"]) for path in catcher.emails()} == {"for robert", "for eve"}


def post(url: str, message: Any) -> int:
    request = urllib.request.Request(url, json.dumps(message).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def notification(identity: str, text: str = "It fell.") -> dict[str, str]:
    return {"Type": "Notification", "MessageId": identity, "Timestamp": "2026-01-01T00:00:00.000Z", "Message": text}


def test_a_message_delivered_three_times_is_one_email(catcher: MailCatcher) -> None:
    inbox = f"{catcher.url}/inbox/YW5uQGV4YW1wbGUuY29t"
    assert [post(inbox, notification("m-1")) for _ in range(3)] == [200, 200, 200]
    assert len(catcher.emails()) == 1


def test_one_message_for_two_addresses_is_an_email_for_each(catcher: MailCatcher) -> None:
    for inbox in ("YW5uQGV4YW1wbGUuY29t", "Ym9iQGV4YW1wbGUuY29t"):
        post(f"{catcher.url}/inbox/{inbox}", notification("m-1"))
    assert [str(read(path)["To"]) for path in catcher.emails()] == ["ann@example.com", "bob@example.com"]


def test_emails_sort_by_arrival(catcher: MailCatcher) -> None:
    inbox = f"{catcher.url}/inbox/YW5uQGV4YW1wbGUuY29t"
    for identity in ("m-9", "m-1", "m-5"):
        post(inbox, notification(identity, identity))
    assert [read(path).get_content()[:3] for path in catcher.emails()] == ["m-9", "m-1", "m-5"]


def test_what_is_no_notification_is_refused(catcher: MailCatcher) -> None:
    assert post(f"{catcher.url}/inbox/YW5uQGV4YW1wbGUuY29t", {"Type": "Notification"}) == 400
    assert post(f"{catcher.url}/inbox/!", "garbage") == 400
    assert catcher.emails() == []


def test_the_emulator_listens_on_this_machine_alone_and_leaves_nothing_outside_its_folder(tmp_path: Path) -> None:
    child, emulator = start_emulator(tmp_path, {})
    try:
        wait_for_emulator(child, emulator)
        listening = [one.laddr for one in psutil.Process(child.pid).net_connections() if one.status == "LISTEN"]
        assert [(one.ip, f":{one.port}") for one in listening] == [("127.0.0.1", emulator.endpoint_url[-6:])]
        assert list((tmp_path / "emulator").glob("ministack-*.pid"))
    finally:
        child.stop()
    assert not psutil.pid_exists(child.pid)
