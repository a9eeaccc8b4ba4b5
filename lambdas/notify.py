"""Fed by the alerts queue: emails what it names, through SNS."""

from typing import Any

import boto3
from botocore.config import Config

from cryptowatch.alerts.email import Email
from cryptowatch.pipeline.notify import logger, notify
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect

_settings = Settings()
# No retry by the client: a publish that was taken but not answered would be repeated uncounted.
_sns = boto3.client("sns", config=Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10))


def publish(recipient: str, email: Email) -> None:
    """Publish to the topic; the attribute is what each subscription's filter policy looks at."""
    _sns.publish(
        TopicArn=_settings.alert_topic_arn,
        Subject=email.subject,
        Message=email.body,
        MessageAttributes={"recipient": {"DataType": "String", "StringValue": recipient}},
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the messages that must come again, as SQS expects it."""
    connection = connect(_settings, patience=10)
    try:
        failed = notify(
            event["Records"],
            connection,
            _settings.clock,
            publish,
            _settings.gather_seconds,
            lambda: context.get_remaining_time_in_millis() / 1000,
        )
    finally:
        connection.close()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
