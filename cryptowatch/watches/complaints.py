"""What the form of a watch list says against a value, in words for the person who wrote it."""

from collections.abc import Mapping
from typing import Any

from cryptowatch.markets.interval import INTERVALS
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
    return text, ""


def _near_literal(value: object, expected: str) -> str:
    known = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    hint = did_you_mean(str(value), known)
    return hint if hint.startswith("did") else ""
