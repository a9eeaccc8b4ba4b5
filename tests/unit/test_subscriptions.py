"""The topic's subscriptions, where the emulators confirm everything at once: SNS is played by a few lines."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.pipeline.subscriptions import Confirmation, Subscriptions

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


class FakeSns:
    """Subscriptions that wait for a confirmation, by a click or by this account."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}

    def subscribe(self, TopicArn: str, Protocol: str, Endpoint: str, Attributes: dict[str, str], **_: Any) -> dict:
        arn = f"{TOPIC}:{len(self.there)}"
        token = f"token-000{len(self.there)}"
        self.there[arn] = {"Endpoint": Endpoint, "state": "pending", "token": token, **Attributes}
        return {"SubscriptionArn": arn}

    def confirm_subscription(self, TopicArn: str, Token: str, AuthenticateOnUnsubscribe: str = "false") -> dict:
        for arn, one in self.there.items():
            if one["token"] == Token and one["state"] == "pending":
                one["state"] = "confirmed" if AuthenticateOnUnsubscribe == "true" else "clicked"
                return {"SubscriptionArn": arn}
        raise ClientError({"Error": {"Code": "InvalidParameter", "Message": "Invalid token"}}, "ConfirmSubscription")

    def unsubscribe(self, SubscriptionArn: str) -> None:
        assert self.there[SubscriptionArn]["state"] != "pending", "SNS refuses that"
        del self.there[SubscriptionArn]

    def get_subscription_attributes(self, SubscriptionArn: str) -> dict:
        one = self.there[SubscriptionArn]
        authenticated = str(one["state"] == "confirmed").lower()
        return {"Attributes": {"FilterPolicy": one["FilterPolicy"], "ConfirmationWasAuthenticated": authenticated}}

    def get_paginator(self, _: str) -> "FakeSns":
        return self

    def paginate(self, TopicArn: str) -> list[dict]:
        rows = [
            {
                "Protocol": "email",
                "Endpoint": one["Endpoint"],
                "SubscriptionArn": "PendingConfirmation" if one["state"] == "pending" else arn,
            }
            for arn, one in self.there.items()
        ]
        return [{"Subscriptions": rows[:1]}, {"Subscriptions": rows[1:]}]


@pytest.fixture
def sns() -> FakeSns:
    return FakeSns()


@pytest.fixture
def subscriptions(sns: FakeSns) -> Subscriptions:
    return Subscriptions(sns, TOPIC)


def confirmation(token: str, topic: str = TOPIC) -> Confirmation:
    return Confirmation(topic_arn=topic, token=token)


def test_a_confirmed_link_makes_a_subscription_that_no_click_ends(subscriptions: Subscriptions, sns: FakeSns) -> None:
    made, _ = subscriptions.reconcile({"ann": "ann@example.com"})
    assert made == {"ann": f"{TOPIC}:0"}
    assert subscriptions.standing() == {"ann@example.com": {"confirmed": False, "by_click": False}}
    assert subscriptions.confirm(confirmation("token-0000")) == {"confirmed": ["ann@example.com"]}
    assert subscriptions.standing() == {"ann@example.com": {"confirmed": True, "by_click": False}}


def test_one_confirmed_by_a_click_is_told_apart(subscriptions: Subscriptions, sns: FakeSns) -> None:
    subscriptions.reconcile({"ann": "ann@example.com"})
    sns.confirm_subscription(TOPIC, "token-0000")
    assert subscriptions.standing() == {"ann@example.com": {"confirmed": True, "by_click": True}}


def test_a_link_of_another_topic_or_a_used_one_is_refused(subscriptions: Subscriptions) -> None:
    subscriptions.reconcile({"ann": "ann@example.com"})
    with pytest.raises(RefusedError, match="another topic"):
        subscriptions.confirm(confirmation("token-0000", TOPIC + "2"))
    subscriptions.confirm(confirmation("token-0000"))
    with pytest.raises(RefusedError, match="used up, or older than 48 hours"):
        subscriptions.confirm(confirmation("token-0000"))


def test_who_left_unconfirmed_is_named_and_ended_once_somebody_confirms(
    subscriptions: Subscriptions, sns: FakeSns
) -> None:
    people = {"ann": "ann@example.com", "bob": "bob@example.com"}
    subscriptions.reconcile(people)
    subscriptions.confirm(confirmation("token-0000"))
    assert subscriptions.reconcile({"ann": "ann@example.com"}) == ({}, ["bob@example.com"])
    sns.confirm_subscription(TOPIC, "token-0001")
    assert subscriptions.reconcile({"ann": "ann@example.com"}) == ({}, [])
    assert [one["Endpoint"] for one in sns.there.values()] == ["ann@example.com"]


def test_a_pending_subscription_is_not_asked_for_again(subscriptions: Subscriptions, sns: FakeSns) -> None:
    subscriptions.reconcile({"ann": "ann@example.com"})
    assert subscriptions.reconcile({"ann": "ann@example.com"}) == ({}, [])
    assert json.loads(sns.there[f"{TOPIC}:0"]["FilterPolicy"]) == {"recipient": ["ann"]}
