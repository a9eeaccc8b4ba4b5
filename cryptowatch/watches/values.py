"""The values of a watch list: durations, moments, names, addresses, as pydantic types that read and write them."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from cryptowatch.alerts.template import check_template
from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import INTERVALS, interval_named
from cryptowatch.watches.moment import MOMENT_SCHEMA, parse_moment

_DURATION = re.compile(r"([0-9]{1,5})([mhdw])")
DURATION_SCHEMA = {"type": "string", "pattern": "^[0-9]{1,5}[mhdw]$"}
_UNIT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: What an address must look like before SNS is asked to write to it.
_EMAIL = re.compile(r"[^@\s,;<>\"']+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
#: The longest address SMTP can carry (RFC 5321).
_LONGEST_EMAIL = 254
#: Stands for any run of characters in the base or the quote of a symbol.
STAR = "*"


def parse_duration(text: object) -> timedelta:
    """Read `45m`, `12h`, `3d`, `1w`.

    Raises:
        ValueError: anything else.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(str(text))
    if not match:
        raise ValueError(f"a duration is a number and one of m, h, d, w, like 12h, not {text!r}")
    return timedelta(**{_UNIT[match[2]]: int(match[1])})


def format_duration(length: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as `length`; whole minutes only."""
    minutes = length // timedelta(minutes=1)
    for unit, size in (("w", 10080), ("d", 1440), ("h", 60)):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def _check_length(length: timedelta) -> timedelta:
    if not length:
        raise ValueError("must be longer than nothing")
    return length


def _check_email(text: str) -> str:
    if len(text) > _LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        raise ValueError(f"{text!r} is not an email address")
    return text


def _check_market(text: str) -> str:
    Market.parse(text)
    return text


def _check_interval(text: str) -> str:
    interval_named(text)
    return text


def _check_template(text: str) -> str:
    check_template(text)
    return text


def _check_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(DURATION_SCHEMA),
]
LongerThanNothing = Annotated[Duration, AfterValidator(_check_length)]
Moment = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema(MOMENT_SCHEMA),
]
Email = Annotated[
    str,
    AfterValidator(_check_email),
    Field(json_schema_extra={"format": "email", "maxLength": _LONGEST_EMAIL}),
]
MarketName = Annotated[str, AfterValidator(_check_market), Field(json_schema_extra={"pattern": "^[^:]+:.+$"})]
IntervalName = Annotated[str, AfterValidator(_check_interval), Field(json_schema_extra={"enum": list(INTERVALS)})]
Name = Annotated[str, Field(max_length=80, pattern=r"^\S(.*\S)?$")]
#: A recipient's name is matched by an SNS filter policy.
RecipientName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
LetName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,30}$")]
RuleText = Annotated[str, Field(min_length=1, max_length=2000)]
#: Text with fields in braces; the subject of an email has no more room.
TitleText = Annotated[
    str, Field(min_length=1, max_length=90), AfterValidator(_check_not_blank), AfterValidator(_check_template)
]
NoteText = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_check_template)]
