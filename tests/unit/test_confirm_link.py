"""The link of SNS's confirmation mail, which anybody could have written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.alerts.confirm_link import ConfirmLink, ConfirmLinkError, read_confirm_link

TOPIC = "arn:aws:sns:eu-central-1:123456789012:crypto-watch-AlertTopic"
TOKEN = "2336412f37fb687f5d51e6e2425c"
HOST = "https://sns.eu-central-1.amazonaws.com"
MAIL = f"{HOST}/confirmation.html?TopicArn={TOPIC}&Token={TOKEN}&Endpoint=you@example.com"
CHINESE = "arn:aws-cn:sns:cn-north-1:123456789012:alerts"


@pytest.mark.parametrize(
    ("link", "topic"),
    [
        (MAIL, TOPIC),
        (f"  {MAIL}\n", TOPIC),
        (f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC.replace(':', '%3A')}&Token={TOKEN}", TOPIC),
        (f"https://sns.cn-north-1.amazonaws.com.cn/confirmation.html?TopicArn={CHINESE}&Token={TOKEN}", CHINESE),
    ],
)
def test_the_links_that_sns_sends_are_taken(link: str, topic: str) -> None:
    assert read_confirm_link(link) == ConfirmLink(topic, TOKEN)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "hello",
        MAIL.replace("https", "http"),
        MAIL.replace("sns.eu-central-1.amazonaws.com", "sns.eu-central-1.amazonaws.com.example.com"),
        MAIL.replace("sns.eu-central-1.amazonaws.com", "example.com"),
        MAIL.replace("https://", "https://sns.eu-central-1.amazonaws.com@"),
        MAIL.replace("amazonaws.com/", "amazonaws.com:8443/"),
        MAIL.replace("amazonaws.com/", "amazonaws.com:x/"),
        MAIL.replace("sns.eu-central-1", "sns.us-east-1"),
        MAIL.replace("sns.eu-central-1", "sqs.eu-central-1"),
        MAIL.replace("confirmation.html", "unsubscribe.html"),
        MAIL.replace("confirmation.html", ""),
        f"{HOST}/?Action=Unsubscribe&TopicArn={TOPIC}&Token={TOKEN}",
        f"{HOST}/confirmation.html?Action=Unsubscribe&TopicArn={TOPIC}&Token={TOKEN}",
        MAIL.replace(":sns:", ":sqs:"),
        MAIL + f"&TopicArn={TOPIC}",
        MAIL.replace(TOKEN, ""),
        MAIL.replace(TOKEN, "../../etc/passwd"),
        MAIL.replace(TOKEN, "a" * 2000),
        MAIL + "&a=1" * 50,
        "https://[::1/confirmation.html",
    ],
)
def test_everything_else_is_refused_in_one_line(link: str) -> None:
    with pytest.raises(ConfirmLinkError, match=r"^this is not the link of SNS's mail, .*$"):
        read_confirm_link(link)


@given(st.text())
def test_no_text_does_anything_else_than_be_refused(text: str) -> None:
    with pytest.raises(ConfirmLinkError):
        read_confirm_link(text)
