"""The link by which SNS asks an address to confirm its subscription: untrusted text, taken apart, never opened."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

TOPIC = r"arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}"
#: What a token is made of; SNS does not say how long it is.
TOKEN = r"[0-9A-Za-z-]{8,1024}"  # noqa: S105  a form, no secret

_HOST = re.compile(r"sns\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


class ConfirmLinkError(ValueError):
    """The text is no such link; one line."""


@dataclass(frozen=True)
class ConfirmLink:
    topic_arn: str
    token: str


def read_confirm_link(text: str) -> ConfirmLink:
    """Take the link of SNS's mail apart.

    Two forms are taken: the mail's, `/confirmation.html`, and the one for programs, `/?Action=ConfirmSubscription`.

    Raises:
        ConfirmLinkError: it is not SNS's link of a confirmation.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
        query = parse_qs(parts.query, strict_parsing=True, max_num_fields=10)
    except ValueError:
        raise _wrong("it cannot be read") from None
    host = _HOST.fullmatch(parts.netloc)
    if parts.scheme != "https" or host is None or port is not None:
        raise _wrong("it does not begin with https://sns.REGION.amazonaws.com/")
    if any(len(values) > 1 for values in query.values()):
        raise _wrong("it says something twice")
    said = {name: values[0] for name, values in query.items()}
    is_mail = parts.path == "/confirmation.html" and said.get("Action") in (None, "ConfirmSubscription")
    if not is_mail and not (parts.path in ("", "/") and said.get("Action") == "ConfirmSubscription"):
        raise _wrong("it confirms no subscription")
    topic, token = said.get("TopicArn", ""), said.get("Token", "")
    if not re.fullmatch(TOPIC, topic) or topic.split(":")[3] != host[1]:
        raise _wrong("it names no topic of its region")
    if not re.fullmatch(TOKEN, token):
        raise _wrong("it has no token")
    return ConfirmLink(topic, token)


def _wrong(why: str) -> ConfirmLinkError:
    return ConfirmLinkError(
        f"this is not the link of SNS's mail, {why}: copy it whole, by a right click on `Confirm subscription`"
    )
