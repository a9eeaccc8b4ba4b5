"""Titles and notes with fields in braces, from a closed set: `{market} fell to {price}`.

Never Python's own formatting: a field is a name and nothing else.
"""

import re
from collections.abc import Mapping

#: What a template may name, with what it stands for.
FIELDS: Mapping[str, str] = {
    "watch": "the watch's name",
    "market": "the market, like kraken:BTC/USD",
    "source": "the exchange",
    "symbol": "the symbol, like BTC/USD",
    "interval": "the length of the candle",
    "price": "the candle's close",
    "time": "when the candle closed, UTC",
    "kind": "fired, repeated or ended",
    "severity": "info, warning or high",
}

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class BadTemplateError(ValueError):
    """A template names a field that there is not, or has a brace too many; `offset` says where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def check_template(text: str) -> None:
    """Raises:
    BadTemplateError: it cannot be filled in.
    """
    for match in _PART.finditer(text):
        if match[0] in ("{{", "}}"):
            continue
        if match[1] is None:
            raise BadTemplateError("a brace without its other half: write {{ or }} for the character", match.start())
        if match[1] not in FIELDS:
            raise BadTemplateError(f"unknown field {{{match[1]}}}: the fields are {', '.join(FIELDS)}", match.start())


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in; `{{` and `}}` become single braces.

    Args:
        values: one for each of `FIELDS`.
    """

    def one(match: re.Match[str]) -> str:
        return values[match[1]] if match[1] in values else match[0][0]

    return _PART.sub(one, text)
