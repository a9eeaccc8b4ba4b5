"""A bulk task may be held back by SQS, for as long as its queue can."""

import boto3
import pytest
from moto import mock_aws

from cryptowatch.queues import StudiesQueue
from cryptowatch.settings import Settings


@pytest.mark.parametrize(("delay_s", "visible", "delayed"), [(0, "1", "0"), (600, "0", "1")])
def test_a_task_that_is_sent_for_later_is_held_back_by_sqs(monkeypatch, delay_s, visible, delayed) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("sqs")
        url = client.create_queue(QueueName="studies")["QueueUrl"]
        StudiesQueue(Settings({"STUDIES_QUEUE_URL": url})).send("backfill", delay_s=delay_s, source="kraken")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert [counts[name] for name in names] == [visible, delayed]
