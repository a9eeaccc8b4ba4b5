"""What the form of a watch list says against a value, in words for the person who wrote it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.watches.document import Path
from cryptowatch.watches.findings import Findings
from cryptowatch.watches.problem import did_you_mean

#: Characters of a value that a message repeats at most.
_LONGEST_SHOWN = 60

#: Types of pydantic's errors -> what the value must be.
_KIND = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of keys to values",
}


def complaint(error: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with a value and what to do: the rest of a sentence that begins with its name, and a hint.

    Args:
        error: one of pydantic's `ValidationError.errors()`.
    """
    kind, value, limits = error["type"], error["input"], error.get("ctx", {})
    if kind in _KIND:
        return f"must be {_KIND[kind]}, not {shown(value)}", _kind_hint(kind, value)
    match kind:
        case "value_error":
            return _said(str(limits["error"]), value)
        case "literal_error":
            return f"must be {limits['expected']}, not {shown(value)}", _near_literal(value, limits["expected"])
        case "too_short":
            return "must not be empty", ""
        case "string_too_short":
            return "must not be empty", ""
        case "string_too_long":
            return f"must not be longer than {limits['max_length']} characters", ""
        case "string_pattern_mismatch":
            return f"must not begin or end with a space or hold line breaks, like {shown(value)}", ""
        case "greater_than_equal":
            return f"must be at least {limits['ge']}, not {shown(value)}", ""
        case "less_than_equal":
            return f"must be at most {limits['le']}, not {shown(value)}", ""
    return f"is not right: {error['msg']}", ""


def tell_inside(
    findings: Findings,
    path: Path,
    label: str,
    error: Mapping[str, Any],
    forms: Mapping[tuple[str, ...], type[BaseModel]],
) -> None:
    """Tell of something wrong within the mapping at `path`.

    Args:
        label: what messages call the mapping.
        error: one of pydantic's errors, its place relative to `path`.
        forms: the form of the mapping itself, at `()`, and of the mappings in it, by their keys.
    """
    *above, key = error["loc"] or ("",)
    what = " of ".join([*(repr(part) for part in reversed(above)), label])
    if error["type"] == "extra_forbidden":
        fields = forms[tuple(above)].model_fields
        known = [field.alias or name for name, field in fields.items()]
        findings.key((*path, *error["loc"]), f"unknown key {key!r} in {what}", did_you_mean(str(key), known))
    elif error["type"] == "missing":
        findings.value((*path, *above), f"{what} has no {key!r}", "add one")
    else:
        said, hint = complaint(error)
        subject = f"{key!r} of {what}" if key else what
        findings.value((*path, *error["loc"]), f"{subject} {said}", hint)


def shown(value: object) -> str:
    """A value as a message repeats it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str() if len(value) > _LONGEST_SHOWN:
            return repr(value[:_LONGEST_SHOWN]) + "…"
    return repr(value)


def _kind_hint(kind: str, value: object) -> str:
    if kind == "tuple_type" and isinstance(value, str):
        return f"write [{value}]"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "put quotes around it"
    if kind == "string_type" and isinstance(value, dict) and len(value) == 1:
        ((name, rest),) = value.items()
        return f"write {name}:{rest} without a space"
    return ""


def _said(text: str, value: object) -> tuple[str, str]:
    """What one of our own validators said; an unknown interval gets the nearest one as a hint."""
    if text.startswith("unknown interval"):
        return f"is an unknown interval {shown(value)}", f"one of {', '.join(INTERVALS)}"
    if text.startswith("a duration"):
        return f"is not a duration: {shown(value)}", "a number and one of m, h, d, w, like 12h"
    if text.startswith("a moment"):
        return f"is not a date or a date and a time: {shown(value)}", "like 2026-03-01 or 2026-03-01 18:30"
    if text.startswith("a time of day"):
        return f"is not a time of day: {shown(value)}", "like 22:00"
    if text.startswith("unknown time zone"):
        return f"is an unknown time zone {shown(value)}", "one like Europe/Berlin or UTC"
    if text.startswith("a digest"):
        return f"is not a digest: {shown(value)}", "hourly, daily or like daily at 08:00 Europe/Berlin"
    if text.startswith(("unknown field", "a brace")):
        said, _, hint = text.partition(": ")
        return f"has {'an ' if said.startswith('unknown') else ''}{said}", hint
    return text, ""


def _near_literal(value: object, expected: str) -> str:
    known = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    hint = did_you_mean(str(value), known)
    return hint if hint.startswith("did") else ""
