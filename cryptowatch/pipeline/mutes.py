"""Muting, unmuting and acknowledging, as a person asks for it."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.mutes import MuteKind, NothingNamedError, acknowledge, mute, unmute
from cryptowatch.watches.values import Duration, Moment

#: A mute without an end is forgotten about.
LONGEST_MUTE = timedelta(days=366)


class MuteRequest(BaseModel):
    """What is to be muted, and until when or for how long; neither ends the mute."""

    model_config = ConfigDict(extra="forbid")

    kind: MuteKind
    name: str = Field(min_length=1, max_length=200)
    until: Moment | None = None
    length: Duration | None = None


def change_mute(connection: Connection, asked: MuteRequest, now: datetime) -> dict[str, Any]:
    """Mute or, without an end, unmute; says until when.

    Raises:
        RefusedError: nothing is called that, nothing was muted, or the end is not ahead.
    """
    with transaction(connection) as cursor:
        if asked.until is None and asked.length is None:
            if not unmute(cursor, asked.kind, asked.name, now):
                raise RefusedError(f"{asked.kind} {asked.name!r} is not muted")
            return {"kind": asked.kind, "name": asked.name, "until": None}
        until = asked.until or now + (asked.length or timedelta(0))
        if not now < until <= now + LONGEST_MUTE:
            raise RefusedError(f"a mute ends after now, {now:%Y-%m-%d %H:%M} UTC, and within {LONGEST_MUTE.days} days")
        try:
            mute(cursor, asked.kind, asked.name, now, until)
        except NothingNamedError as error:
            raise RefusedError(str(error)) from None
    return {"kind": asked.kind, "name": asked.name, "until": until.isoformat()}


def acknowledge_alert(connection: Connection, alert_id: int, now: datetime) -> dict[str, Any]:
    """Say no more of the alert's episode than its end; gives its watch and market.

    Raises:
        RefusedError: there is no such alert.
    """
    try:
        with transaction(connection) as cursor:
            return {"alert_id": alert_id, **acknowledge(cursor, alert_id, now)}
    except NothingNamedError as error:
        raise RefusedError(str(error)) from None
