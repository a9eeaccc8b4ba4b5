"""What becomes of a bulk task's message."""

from uuid import uuid4

import psycopg2
import pytest
from celery.exceptions import Reject

from cryptowatch.queues import MalformedMessageError
from workers.studies import bulk_task


def test_a_bulk_task_is_called_with_what_was_sent_without_the_version() -> None:
    called = []

    def work(**arguments: object) -> None:
        called.append(arguments)

    bulk_task(uuid4().hex)(work)(version=1, market_ids=[1])
    assert called == [{"market_ids": [1]}]


@pytest.mark.parametrize(
    ("version", "error", "requeue"),
    [
        (2, None, False),
        (None, None, False),
        (1, MalformedMessageError("?"), False),
        (1, psycopg2.OperationalError(), True),
    ],
)
def test_what_can_never_be_done_is_rejected_and_what_can_later_goes_back(version, error, requeue) -> None:
    def fail(**arguments: object) -> None:
        raise error

    with pytest.raises(Reject) as rejected:
        bulk_task(uuid4().hex)(fail)(version=version)
    assert rejected.value.requeue is requeue
