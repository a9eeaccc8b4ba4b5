"""The form of a watch list: what a user may write, as data.

This is what `apply` sends and `control` stores. It knows nothing of the rule language (the functions that check
it again stay small); `cryptowatch.watches.reader` reads YAML into it, with positions and the rules checked.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from cryptowatch.alerts.due import Digest, QuietHours
from cryptowatch.markets.interval import Interval, interval_named
from cryptowatch.watches.delivery import (
    DIGEST_SCHEMA,
    DeliverySettings,
    DigestText,
    QuietHoursForm,
    Severity,
    parse_digest,
)
from cryptowatch.watches.moment import MOMENT_SCHEMA
from cryptowatch.watches.values import (
    DURATION_SCHEMA,
    STAR,
    Duration,
    Email,
    IntervalName,
    LetName,
    LongerThanNothing,
    MarketName,
    Moment,
    Name,
    NoteText,
    RecipientName,
    RuleText,
    Tag,
    TitleText,
    once_each,
)


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
        AfterValidator(once_each),
    ]
    exclude: Annotated[
        tuple[MarketName, ...],
        Field(description="Markets, names and stars, that are taken out of those."),
        AfterValidator(once_each),
    ] = ()
    interval: Annotated[IntervalName, Field(description="The length of the candles the rule is checked on.")]
    let: Annotated[
        dict[LetName, RuleText],
        Field(
            max_length=10,
            description="Names for parts of the rules: a text may use the names before it.",
            json_schema_extra={"additionalProperties": False},
        ),
    ] = {}
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
        WithJsonSchema(DURATION_SCHEMA),
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
        WithJsonSchema(DURATION_SCHEMA),
        Field(
            description="An alert older than this when its email is decided is recorded, not sent; "
            "three intervals if left out."
        ),
    ] = None
    severity: Annotated[Severity, Field(description="How the email is marked.")] = "info"
    notify: Annotated[
        tuple[RecipientName, ...],
        Field(min_length=1, description="Names of recipients who get the emails."),
        AfterValidator(once_each),
    ]
    max_per_day: Annotated[
        int,
        Field(
            ge=0,
            strict=True,
            description="Emails a day and recipient, by the UTC day of the candle's close; 0 is no limit.",
        ),
    ] = 0
    quiet_hours: Annotated[
        QuietHoursForm | None, Field(description="Hours of each day in which this watch tells nothing.")
    ] = None
    digest: Annotated[
        DigestText | None,
        WithJsonSchema(DIGEST_SCHEMA),
        Field(description="Collect alerts and tell them together: hourly, daily or like daily at 08:00 Europe/Berlin."),
    ] = None
    title: Annotated[
        TitleText | None,
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 90}),
        Field(description="What an alert is called, with fields in braces, like {market} fell to {price}."),
    ] = None
    note: Annotated[
        NoteText | None,
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1000}),
        Field(description="Text that every alert carries, with the same fields."),
    ] = None
    track_record: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1000, strict=True)], ...],
        Field(
            min_length=1,
            max_length=8,
            description="How many candles after its past signals the track record looks at what the price did.",
        ),
    ] = (1, 4, 12, 24)
    resolved: Annotated[
        bool, Field(strict=True, description="Also tell when it is over: the rule is no longer true, or until is.")
    ] = False
    tags: Annotated[
        tuple[Tag, ...],
        Field(description="Short names by which watches are kept together."),
        AfterValidator(once_each),
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

    @property
    def digests(self) -> Digest | None:
        """When its alerts are told together; None when each is told at once."""
        return parse_digest(self.digest) if self.digest else None

    @property
    def hours(self) -> tuple[QuietHours, ...]:
        """Its quiet hours, if it has any."""
        return (self.quiet_hours.hours,) if self.quiet_hours else ()


class RecipientForm(DeliverySettings):
    """A recipient who says more than an address."""

    email: Annotated[Email, Field(description="Where the emails go.")]


class WatchList(Strict):
    """One file: the whole configuration a user writes."""

    recipients: Annotated[
        dict[RecipientName, Email | RecipientForm],
        Field(
            min_length=1,
            description="Who gets emails: a name each, and an address, or an address and when to be told what.",
            json_schema_extra={"additionalProperties": False},
        ),
    ]
    watches: Annotated[tuple[Watch, ...], Field(min_length=1, description="What to look for, and where.")]


class Selection(Strict):
    """Markets as a list writes them, of a watch whose markets are found anew from time to time."""

    markets: Annotated[tuple[MarketName, ...], Field(min_length=1)]
    exclude: tuple[MarketName, ...] = ()


class CheckedWatch(Strict):
    """A watch whose rules were checked, with what the check derived.

    Args:
        watch: its markets without stars and without those to exclude.
        look_back: candles of each interval the rules read, by interval name, the watch's own among them: how far
            back a load must reach.
        selection: what its markets were found from; None when they are all named.
    """

    watch: Watch
    look_back: dict[IntervalName, Annotated[int, Field(ge=1, le=1_000_000)]]
    selection: Selection | None = None

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

    `delivery` holds what recipients say about their emails beyond the address. Names of watches and addresses are
    unique (SNS keeps one subscription an address), and every watch notifies recipients of the list only.
    """

    recipients: Annotated[dict[RecipientName, Email], Field(min_length=1)]
    delivery: dict[RecipientName, DeliverySettings] = {}
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
