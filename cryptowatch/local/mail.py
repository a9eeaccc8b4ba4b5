"""The mail catcher: stands in for the email subscriptions of the alert topic and writes what they would get.

For each email subscription it subscribes an address of its own with the same filter policy, so who gets what is
decided where it is decided in the cloud. Emails are `.eml` files that any mail program opens.
"""

import base64
import glob
import json
import threading
import time
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptowatch.clock import WallClock
from cryptowatch.local.deploy import Emulator

#: What SNS appends to every email.
_FOOT = "\n\n--\nIf you wish to stop receiving notifications from this topic, remove yourself from the watch list.\n"
#: Seconds a subscription may take to be confirmed.
_CONFIRM_S = 10.0
#: Keeps text readable in the file itself: no base64, no folding.
_POLICY = default.clone(cte_type="8bit", max_line_length=998)


class MailCatcherError(RuntimeError):
    """The catcher could not stand in for an email subscription."""


class MailCatcher:
    """Catches what the topic's email subscriptions are sent.

    Args:
        folder: where the `.eml` files go; their names sort by time of arrival.
    """

    def __init__(self, emulator: Emulator, topic_arn: str, folder: Path) -> None:
        self._sns = emulator.client("sns")
        self._topic = topic_arn
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        #: By address: our subscription that stands in for it, and its filter policy.
        self._mirrored: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop listening, once what has arrived is written."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def emails(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self._folder.glob("*.eml"))

    def sync(self) -> None:
        """Stand in for every email subscription there is now, with its filter policy, and for no other.

        Raises:
            MailCatcherError: a subscription was not confirmed.
        """
        wanted: dict[str, str] = {}
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic)
        for one in (one for page in pages for one in page["Subscriptions"]):
            if one["Protocol"] == "email":
                wanted[one["Endpoint"]] = self._attributes(one["SubscriptionArn"]).get("FilterPolicy", "{}")
        for address in set(self._mirrored) - set(wanted):
            self._sns.unsubscribe(SubscriptionArn=self._mirrored.pop(address)[0])
        for address, policy in wanted.items():
            if address not in self._mirrored:
                self._mirrored[address] = (self._subscribe(address, policy), policy)
            elif self._mirrored[address][1] != policy:
                arn = self._mirrored[address][0]
                self._sns.set_subscription_attributes(
                    SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=policy
                )
                self._mirrored[address] = (arn, policy)

    def _attributes(self, arn: str) -> dict[str, str]:
        return dict(self._sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])

    def _subscribe(self, address: str, policy: str) -> str:
        """Subscribe and wait until that is confirmed: what is published before then is not caught."""
        endpoint = f"{self.url}/inbox/{base64.urlsafe_b64encode(address.encode()).decode()}"
        self._sns.subscribe(
            TopicArn=self._topic, Protocol="http", Endpoint=endpoint, Attributes={"FilterPolicy": policy}
        )
        deadline = time.monotonic() + _CONFIRM_S
        while time.monotonic() < deadline:
            pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic)
            ours = [one for page in pages for one in page["Subscriptions"] if one["Endpoint"] == endpoint]
            arn = str(ours[0]["SubscriptionArn"])
            if arn.startswith("arn:") and self._attributes(arn)["PendingConfirmation"] == "false":
                return arn
            time.sleep(0.02)
        raise MailCatcherError(f"the subscription that stands in for {address} was not confirmed")

    def received(self, address: str, message: dict[str, Any]) -> None:
        """Take what the topic has sent to the subscription that stands in for `address`."""
        if message.get("Type") == "SubscriptionConfirmation":
            # The emulator waits for the answer to this request before it takes another.
            arguments = {"TopicArn": message["TopicArn"], "Token": message["Token"]}
            threading.Thread(target=self._sns.confirm_subscription, kwargs=arguments, daemon=True).start()
        elif message.get("Type") == "Notification":
            self._write(address, message)

    def _write(self, address: str, message: dict[str, Any]) -> None:
        tail = f"-{message['MessageId']}-{quote(address, safe='@+')}.eml"
        with self._lock:
            if any(self._folder.glob(f"*{glob.escape(tail)}")):
                return  # delivered again
            path = self._folder / f"{WallClock().now():%Y%m%d-%H%M%S-%f}{tail}"
            fresh = path.with_suffix(".tmp")
            fresh.write_bytes(bytes(_email(address, message)))
            fresh.replace(path)


def _email(address: str, message: dict[str, Any]) -> EmailMessage:
    email = EmailMessage(policy=_POLICY)
    email["From"] = Address("Crypto Watch", "no-reply", "sns.amazonaws.com")
    email["To"] = address
    email["Subject"] = " ".join((message.get("Subject") or "AWS Notification Message").split())
    email["Date"] = format_datetime(datetime.fromisoformat(message["Timestamp"].replace("Z", "+00:00")))
    email["Message-ID"] = f"<{message['MessageId']}@sns.amazonaws.com>"
    email.set_content(message["Message"] + _FOOT)
    return email


class _Server(ThreadingHTTPServer):
    #: A storm of emails arrives on as many connections at once.
    request_queue_size = 128
    daemon_threads = False


def _handler(catcher: MailCatcher) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            try:
                address = base64.urlsafe_b64decode(self.path.rsplit("/", 1)[-1]).decode()
                catcher.received(address, json.loads(body))
                status = 200
            except (ValueError, KeyError, AttributeError):
                status = 400
            except OSError:
                status = 500  # the topic delivers it again
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Emails are the log."""

    return Handler
