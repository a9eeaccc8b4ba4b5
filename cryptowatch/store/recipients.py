"""Who gets emails: one SNS subscription each."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptowatch.store.database import Cursor
from cryptowatch.watches.delivery import DeliverySettings


@dataclass(frozen=True)
class Recipient:
    name: str
    email: str
    subscription_arn: str | None


def live_recipients(cursor: Cursor) -> dict[str, Recipient]:
    """Those on the watch list of today, by name."""
    cursor.execute("SELECT name, email, subscription_arn FROM recipients WHERE removed_at IS NULL ORDER BY name")
    return {row[0]: Recipient(*row) for row in cursor.fetchall()}


def save_recipient(cursor: Cursor, recipient: Recipient) -> None:
    """Add a recipient, or change their address and subscription."""
    cursor.execute(
        """
        INSERT INTO recipients (name, email, subscription_arn) VALUES (%s, %s, %s)
        ON CONFLICT (name) DO UPDATE
        SET email = excluded.email, subscription_arn = excluded.subscription_arn, removed_at = NULL
        """,
        (recipient.name, recipient.email, recipient.subscription_arn),
    )


def remove_recipient(cursor: Cursor, name: str, at: datetime) -> None:
    """Take a recipient off the list; what they were sent stays on record."""
    cursor.execute("UPDATE recipients SET removed_at = %s, subscription_arn = NULL WHERE name = %s", (at, name))


def save_settings(cursor: Cursor, names: Iterable[str], settings: Mapping[str, DeliverySettings]) -> list[str]:
    """Store what these recipients want to be told, and when; gives the names of those of whom it changed.

    Args:
        settings: of those who say anything.
    """
    changed = []
    for name in names:
        form = settings.get(name, DeliverySettings())
        said = json.dumps(form.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        cursor.execute("UPDATE recipients SET settings = %s WHERE name = %s AND settings <> %s", (said, name, said))
        changed += [name] * cursor.rowcount
    return changed
