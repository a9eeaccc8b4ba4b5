"""The recipients' subscriptions to the alert topic: kept as the watch list says, confirmed, and how each stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from cryptowatch.alerts.confirm_link import TOKEN, TOPIC
from cryptowatch.pipeline.refused import RefusedError


class Confirmation(BaseModel):
    """What a link of SNS's mail holds."""

    model_config = ConfigDict(extra="forbid")

    topic_arn: str = Field(pattern=f"^{TOPIC}$")
    token: str = Field(pattern=f"^{TOKEN}$")


@dataclass(frozen=True)
class _Subscription:
    """One of the topic's email subscriptions.

    Args:
        arn: None while it is not confirmed: SNS then tells nothing of it, and lets nobody end it.
        by_click: confirmed by whoever opened the link, so opening another link ends it.
    """

    address: str
    arn: str | None
    policy: str = ""
    by_click: bool = False


class Subscriptions:
    """The email subscriptions of one topic.

    Args:
        sns: boto3 client.
    """

    def __init__(self, sns: Any, topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    def reconcile(self, wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """End the subscriptions of who left or moved, make those that are missing.

        Args:
            wanted: addresses by recipient.

        Returns:
            The ARNs of the new ones by recipient, and the addresses that have left and cannot be ended, since they are
            not confirmed: they vanish by themselves after 48 hours.
        """
        there: set[str] = set()
        pending_gone: list[str] = []
        for one in self._all():
            if one.arn is None:
                there.add(one.address)
                pending_gone += [one.address] * (one.address not in wanted.values())
            elif any(one.policy == _policy(name) for name in wanted if wanted[name] == one.address):
                there.add(one.address)
            elif '"recipient"' in one.policy:
                self._sns.unsubscribe(SubscriptionArn=one.arn)
        made = {name: self._subscribe(name, address) for name, address in wanted.items() if address not in there}
        return made, pending_gone

    def confirm(self, asked: Confirmation) -> dict[str, Any]:
        """Confirm one, so that only this account can end it.

        Raises:
            RefusedError: the link is of another topic, or has run out.
        """
        if asked.topic_arn != self._topic_arn:
            raise RefusedError(
                f"the link is of another topic ({asked.topic_arn}), not of this stack's {self._topic_arn}"
            )
        try:
            answer = self._sns.confirm_subscription(
                TopicArn=self._topic_arn, Token=asked.token, AuthenticateOnUnsubscribe="true"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("InvalidParameter", "NotFound"):
                raise
            raise RefusedError(
                "SNS does not take the link's token: it is used up, or older than 48 hours; "
                "apply the watch list again for a new mail"
            ) from error
        arn = str(answer["SubscriptionArn"])
        addresses = [one.address for one in self._all() if one.arn == arn]
        return {"confirmed": addresses}

    def standing(self) -> dict[str, dict[str, bool]]:
        """By address: whether it is confirmed, and whether by a click, which a click can undo."""
        return {one.address: {"confirmed": one.arn is not None, "by_click": one.by_click} for one in self._all()}

    def _subscribe(self, name: str, address: str) -> str:
        answer = self._sns.subscribe(
            TopicArn=self._topic_arn,
            Protocol="email",
            Endpoint=address,
            Attributes={"FilterPolicy": _policy(name)},
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def _all(self) -> list[_Subscription]:
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic_arn)
        found = [one for page in pages for one in page["Subscriptions"] if one["Protocol"] == "email"]
        return [self._one(one["Endpoint"], one["SubscriptionArn"]) for one in found]

    def _one(self, address: str, arn: str) -> _Subscription:
        if not arn.startswith("arn:"):
            return _Subscription(address, None)
        told = self._sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        by_click = told.get("ConfirmationWasAuthenticated", "true") == "false"
        return _Subscription(address, arn, told.get("FilterPolicy", ""), by_click)


def _policy(name: str) -> str:
    """The filter policy that lets through a recipient's own emails only."""
    return json.dumps({"recipient": [name]})
