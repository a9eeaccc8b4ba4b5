"""Moments as a person writes them: YAML timestamps and ISO 8601 text."""

import re
from datetime import UTC, datetime, timedelta, timezone

#: A date, and maybe a time (YAML allows one digit and spaces where ISO 8601 wants two and a T), and maybe a zone.
_MOMENT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})"
    r"(?:(?:[Tt]|[ \t]+)(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,](?P<fraction>[0-9]{1,9}))?"
    r"[ \t]*(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{1,2}):?(?P<minutes>[0-9]{2})?)?)?"
)

MOMENT_SCHEMA = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$"}


def parse_moment(text: object) -> datetime:
    """Read `2026-03-01`, `2026-03-01 18:30`, `2026-03-01T18:30:00+02:00`: UTC, which a time without a zone is too.

    A date alone is its midnight.

    Raises:
        ValueError: anything else.
    """
    if isinstance(text, datetime) and text.tzinfo:
        return text.astimezone(UTC)
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    try:
        if match is None:
            raise ValueError
        year, month, day = map(int, match["date"].split("-"))
        hour, minute, second = map(int, f"{match['time'] or '0:0'}:0".split(":")[:3])
        microsecond = int((match["fraction"] or "0")[:6].ljust(6, "0"))
        zone = timezone(_offset(match)) if match["sign"] else UTC
        return datetime(year, month, day, hour, minute, second, microsecond, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"a moment is a date or a date and a time, like 2026-03-01 18:30, not {text!r}") from None


def _offset(match: re.Match[str]) -> timedelta:
    length = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return -length if match["sign"] == "-" else length
