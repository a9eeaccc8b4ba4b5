"""Titles and notes with fields in braces."""

import pytest

from cryptowatch.alerts.template import FIELDS, BadTemplateError, check_template, fill

VALUES = {name: name.upper() for name in FIELDS}


def test_every_field_is_filled_in_and_doubled_braces_are_single_ones() -> None:
    text = " ".join(f"{{{name}}}" for name in FIELDS) + " {{price}}"
    check_template(text)
    assert fill(text, VALUES) == " ".join(VALUES.values()) + " {price}"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("{prise}", 0),
        ("at {price.__class__}", 3),
        ("{price!r}", 0),
        ("{0}", 0),
        ("{}", 0),
        ("{market} {", 9),
        ("a } b", 2),
    ],
)
def test_anything_but_a_field_is_refused_where_it_stands(text, offset) -> None:
    with pytest.raises(BadTemplateError) as raised:
        check_template(text)
    assert raised.value.offset == offset


def test_a_value_that_looks_like_a_field_is_left_as_it_is() -> None:
    assert fill("{watch}", {**VALUES, "watch": "{price} {{x}}"}) == "{price} {{x}}"
