"""The form of a watch list: what a user may write, as data.

This is what `apply` sends and `control` stores. It knows nothing of the rule language (the functions that check
it again stay small); `cryptowatch.watches.reader` reads YAML into it, with positions and the rules checked.
"""

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import INTERVALS, Interval, interval_named
from cryptowatch.watches.moment import MOMENT_SCHEMA, parse_moment

_DURATION = re.compile(r"([0-9]{1,5})([mhdw])")
_DURATION_SCHEMA = {"type": "string", "pattern": "^[0-9]{1,5}[mhdw]$"}
_UNIT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: What an address must look like before SNS is asked to write to it.
_EMAIL = re.compile(r"[^@\s,;<>\"']+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
#: The longest address SMTP can carry (RFC 5321).
_LONGEST_EMAIL = 254
#: Stands for any run of characters in the base or the quote of a symbol.
STAR = "*"

Severity = Literal["info", "warning", "high"]


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


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(_DURATION_SCHEMA),
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
RuleText = Annotated[str, Field(min_length=1, max_length=2000)]


class Strict(BaseModel):
    """A form that takes no key it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Watch(Strict):
    """A rule, the markets and the interval it watches, and how it notifies."""

    name: Annotated[Name, Field(description="What alerts call the watch; no two watches share a name.")]
    markets: Annotated[
        tuple[MarketName, ...],
        Field(
            min_length=1,
            description="Markets, written exchange:BASE/QUOTE; a star stands for what the exchange lists.",
        ),
        AfterValidator(_once),
    ]
    exclude: Annotated[
        tuple[MarketName, ...],
        Field(description="Markets, names and stars, that are taken out of those."),
        AfterValidator(_once),
    ] = ()
    interval: Annotated[IntervalName, Field(description="The length of the candles the rule is checked on.")]
    when: Annotated[RuleText, Field(description="The rule: when it becomes true, the watch fires.")]
    until: Annotated[
        RuleText | None,
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 2000}),
        Field(
            description="A rule: when it is true, what was told is over and the watch may fire again; "
            "that the rule is no longer true, if left out."
        ),
    ] = None
    for_: Annotated[
        int,
        Field(
            alias="for",
            ge=1,
            le=1000,
            strict=True,
            description="Closed candles in a row for which the rule must be true before it fires.",
        ),
    ] = 1
    cooldown: Annotated[
        Duration,
        Field(
            description="How long after an alert the same market is quiet, repeats aside, on candle time.",
            json_schema_extra={"default": "0m"},
        ),
    ] = timedelta(0)
    repeat: Annotated[
        LongerThanNothing | None,
        WithJsonSchema(_DURATION_SCHEMA),
        Field(description="Tell again every so often while the rule is still true, on candle time."),
    ] = None
    once: Annotated[
        bool,
        Field(strict=True, description="Fire once on each market, and never again until the rule is changed."),
    ] = False
    starts: Annotated[
        Moment | None,
        WithJsonSchema(MOMENT_SCHEMA),
        Field(description="Candles that close before it tell nothing; UTC unless it says otherwise."),
    ] = None
    expires: Annotated[
        Moment | None,
        WithJsonSchema(MOMENT_SCHEMA),
        Field(description="Candles that close at it or later tell nothing; UTC unless it says otherwise."),
    ] = None
    late_after: Annotated[
        LongerThanNothing | None,
        WithJsonSchema(_DURATION_SCHEMA),
        Field(
            description="An alert older than this when its email is decided is recorded, not sent; "
            "three intervals if left out."
        ),
    ] = None
    severity: Annotated[Severity, Field(description="How the email is marked.")] = "info"
    notify: Annotated[
        tuple[RecipientName, ...],
        Field(min_length=1, description="Names of recipients who get the emails."),
        AfterValidator(_once),
    ]
    max_per_day: Annotated[
        int,
        Field(
            ge=0,
            strict=True,
            description="Emails a day and recipient, by the UTC day of the candle's close; 0 is no limit.",
        ),
    ] = 0
    resolved: Annotated[
        bool, Field(strict=True, description="Also tell when it is over: the rule is no longer true, or until is.")
    ] = False
    tags: Annotated[
        tuple[Tag, ...],
        Field(description="Short names by which watches are kept together."),
        AfterValidator(_once),
    ] = ()

    @field_validator("expires")
    @classmethod
    def _check_expires(cls, expires: datetime | None, info: ValidationInfo) -> datetime | None:
        starts = info.data.get("starts")
        if expires is not None and starts is not None and expires <= starts:
            raise ValueError("must be after 'starts'")
        return expires

    @property
    def grid(self) -> Interval:
        return interval_named(self.interval)


class WatchList(Strict):
    """One file: the whole configuration a user writes."""

    recipients: Annotated[
        dict[RecipientName, Email],
        Field(
            min_length=1,
            description="Who gets emails: a name and an address each.",
            json_schema_extra={"additionalProperties": False},
        ),
    ]
    watches: Annotated[tuple[Watch, ...], Field(min_length=1, description="What to look for, and where.")]


class CheckedWatch(Strict):
    """A watch whose rules were checked, with what the check derived.

    Args:
        watch: its markets without stars and without those to exclude.
        look_back: candles of each interval the rules read, by interval name, the watch's own among them: how far
            back a load must reach.
    """

    watch: Watch
    look_back: dict[IntervalName, Annotated[int, Field(ge=1, le=1_000_000)]]

    @model_validator(mode="after")
    def _check(self) -> Self:
        name, grid = self.watch.name, self.watch.grid
        if any(STAR in market for market in self.watch.markets):
            raise ValueError(f"watch {name!r} has a star that was not expanded")
        if self.watch.exclude:
            raise ValueError(f"watch {name!r} has an exclude that was not taken out of its markets")
        if grid.name not in self.look_back:
            raise ValueError(f"watch {name!r} has no look-back for its own interval {grid}")
        if any(interval_named(other) < grid for other in self.look_back):
            raise ValueError(f"watch {name!r} reads an interval shorter than its own, {grid}")
        return self


class CheckedWatchList(Strict):
    """What `apply` sends to `control`: stars expanded, rules checked.

    Names of watches and addresses are unique (SNS keeps one subscription an address), and every watch notifies
    recipients of the list only.
    """

    recipients: Annotated[dict[RecipientName, Email], Field(min_length=1)]
    watches: Annotated[tuple[CheckedWatch, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, count in Counter(checked.watch.name for checked in self.watches).items():
            if count > 1:
                raise ValueError(f"the name {name!r} is given to {count} watches")
        for email, count in Counter(email.lower() for email in self.recipients.values()).items():
            if count > 1:
                raise ValueError(f"the address {email} is given to {count} recipients")
        for checked in self.watches:
            for recipient in checked.watch.notify:
                if recipient not in self.recipients:
                    raise ValueError(f"watch {checked.watch.name!r} notifies {recipient!r}, who is no recipient")
        return self
