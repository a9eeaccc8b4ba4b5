"""The mail catcher: stands in for the email subscriptions of the alert topic and writes what they would get.

For each email subscription it subscribes an address of its own with the same filter policy, so who gets what is
decided where it is decided in the cloud. Emails are `.eml` files that any mail program opens.
"""

import base64
import json
import threading
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptowatch.local.deploy import Emulator

#: What SNS appends to every email.
_FOOT = "\n\n--\nIf you wish to stop receiving notifications from this topic, remove yourself from the watch list.\n"


class MailCatcher:
    """Catches what the topic's email subscriptions are sent.

    Args:
        folder: where the `.eml` files go.
    """

    def __init__(self, emulator: Emulator, topic_arn: str, folder: Path) -> None:
        self._sns = emulator.client("sns")
        self._topic = topic_arn
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mirrored: dict[str, str] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def emails(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self._folder.glob("*.eml"))

    def sync(self) -> None:
        """Subscribe for every email subscription that is new, with its filter policy; leave for those that are gone."""
        wanted: dict[str, str] = {}
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic)
        for one in (one for page in pages for one in page["Subscriptions"]):
            if one["Protocol"] == "email":
                attributes = self._sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])
                wanted[one["Endpoint"]] = attributes["Attributes"].get("FilterPolicy", "{}")
        for address in set(self._mirrored) - set(wanted):
            self._sns.unsubscribe(SubscriptionArn=self._mirrored.pop(address))
        for address in set(wanted) - set(self._mirrored):
            name = base64.urlsafe_b64encode(address.encode()).decode()
            answer = self._sns.subscribe(
                TopicArn=self._topic,
                Protocol="http",
                Endpoint=f"{self.url}/inbox/{name}",
                Attributes={"FilterPolicy": wanted[address]},
                ReturnSubscriptionArn=True,
            )
            self._mirrored[address] = answer["SubscriptionArn"]

    def _received(self, address: str, message: dict[str, Any]) -> None:
        if message.get("Type") == "SubscriptionConfirmation":
            self._sns.confirm_subscription(TopicArn=message["TopicArn"], Token=message["Token"])
        elif message.get("Type") == "Notification":
            self._write(address, message)

    def _write(self, address: str, message: dict[str, Any]) -> None:
        at = datetime.fromisoformat(message["Timestamp"].replace("Z", "+00:00"))
        email = EmailMessage()
        email["From"] = Address("Crypto Watch", "no-reply", "sns.amazonaws.com")
        email["To"] = address
        email["Subject"] = message.get("Subject") or "AWS Notification Message"
        email["Date"] = format_datetime(at)
        email["Message-ID"] = f"<{message['MessageId']}@sns.amazonaws.com>"
        email.set_content(message["Message"] + _FOOT)
        with self._lock:
            if any(self._folder.glob(f"*-{message['MessageId']}.eml")):
                return  # delivered again
            path = self._folder / f"{at:%Y%m%d-%H%M%S-%f}-{message['MessageId']}.eml"
            fresh = path.with_suffix(".tmp")
            fresh.write_bytes(bytes(email))
            fresh.replace(path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        catcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                address = base64.urlsafe_b64decode(self.path.rsplit("/", 1)[-1]).decode()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                # Confirming asks the emulator, which waits for this answer first.
                threading.Thread(target=catcher._received, args=(address, json.loads(body)), daemon=True).start()

            def log_message(self, format: str, *args: object) -> None:
                """Emails are the log."""

        return Handler
