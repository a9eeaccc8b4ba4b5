"""The form of what a watch list says about delivery: quiet hours, digests, and what a recipient wants to be told."""

import re
from collections.abc import Callable
from datetime import time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from cryptowatch.alerts.due import Digest, QuietHours

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DIGEST = re.compile(r"(hourly)|daily(?: at (\S+)(?: (\S+))?)?")

Severity = Literal["info", "warning", "high"]
#: From the least to the most severe.
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "high")


def parse_clock(text: str) -> time:
    """Read `7:30`, `22:00`.

    Raises:
        ValueError: anything else.
    """
    match = _CLOCK.fullmatch(text)
    if not match:
        raise ValueError(f"a time of day is written like 22:00, not {text!r}")
    return time(int(match[1]), int(match[2]))


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of that name of the IANA database.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name!r}: write one like Europe/Berlin or UTC") from None


def parse_digest(text: str) -> Digest:
    """Read `hourly`, `daily` (at midnight UTC), `daily at 08:00`, `daily at 08:00 Europe/Berlin`.

    Raises:
        ValueError: anything else.
    """
    match = _DIGEST.fullmatch(text)
    if not match:
        raise ValueError(f"a digest is hourly, daily or like daily at 08:00 Europe/Berlin, not {text!r}")
    if match[1]:
        return Digest("hour")
    return Digest("day", parse_clock(match[2] or "0:00"), parse_zone(match[3] or "UTC"))


def _readable_by(parse: Callable[[str], object]) -> AfterValidator:
    """Keeps a text as it is written, if it can be read."""

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


Clock = Annotated[
    str,
    _readable_by(parse_clock),
    WithJsonSchema({"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"}),
]
Zone = Annotated[str, _readable_by(parse_zone)]
DIGEST_SCHEMA = {"type": "string", "pattern": r"^(hourly|daily( at [0-9]{1,2}:[0-9]{2}( \S+)?)?)$"}
DigestText = Annotated[str, _readable_by(parse_digest)]


class QuietHoursForm(BaseModel):
    """Hours of each day in which nobody is told."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: Annotated[Clock, Field(alias="from", description="When they begin, like 22:00.")]
    to: Annotated[Clock, Field(description="When they end, like 07:00; on the next day where that is the earlier.")]
    zone: Annotated[Zone, Field(description="The time zone of both, like Europe/Berlin.")] = "UTC"
    then: Annotated[
        Literal["summarise", "drop"],
        Field(description="Alerts within them: told together when they are over, or never."),
    ] = "summarise"
    high_passes: Annotated[
        bool, Field(strict=True, description="Alerts of high severity are told at once all the same.")
    ] = True

    @model_validator(mode="after")
    def _check(self) -> Self:
        if parse_clock(self.from_) == parse_clock(self.to):
            raise ValueError("begin and end at the same time")
        return self

    @property
    def hours(self) -> QuietHours:
        return QuietHours(
            parse_clock(self.from_), parse_clock(self.to), parse_zone(self.zone), self.then, self.high_passes
        )


class DeliverySettings(BaseModel):
    """What a recipient wants to be told, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    max_per_day: Annotated[
        int,
        Field(ge=0, strict=True, description="Emails a day over all watches, by the candle's UTC day; 0 is no limit."),
    ] = 0
    quiet_hours: Annotated[
        QuietHoursForm | None, Field(description="Hours in which this recipient is told nothing.")
    ] = None
    least_severity: Annotated[Severity, Field(description="Alerts less severe than this are recorded, not sent.")] = (
        "info"
    )

    def wants(self, severity: str) -> bool:
        """Whether alerts of this severity are told."""
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.least_severity)
