"""The published JSON Schema says what the reader says, and the example keeps to both."""

import re
from pathlib import Path

from cryptowatch.markets.interval import INTERVALS
from cryptowatch.pipeline.catalog import ExchangeCatalog
from cryptowatch.watches import schema
from cryptowatch.watches.form import Watch
from cryptowatch.watches.reader import read_watch_list

ROOT = Path(schema.__file__).parents[2]
PUBLISHED = Path(schema.__file__).with_name("watches.schema.json")
EXAMPLE = ROOT / "examples" / "watches.yaml"
REFERENCE = ROOT / "docs" / "watches.md"


def test_the_published_schema_is_current() -> None:
    assert PUBLISHED.read_text() == schema.schema_text()


def test_every_key_is_described_and_defaults_are_as_a_user_writes_them() -> None:
    keys = schema.watch_list_schema()["$defs"]["Watch"]["properties"]
    assert all(key["description"] for key in keys.values())
    assert keys["cooldown"]["default"] == "0m"
    assert "default" not in keys["late_after"]


def test_the_example_keeps_to_the_form_and_its_rules_compile() -> None:
    checked = read_watch_list(EXAMPLE.read_text(), file=str(EXAMPLE), catalog=ExchangeCatalog(offline=True))
    assert len(checked.watches) >= 3


def test_the_example_tells_editors_where_the_schema_is() -> None:
    named = re.match(r"# yaml-language-server: \$schema=(\S+)", EXAMPLE.read_text())
    assert named
    assert (EXAMPLE.parent / named[1]).resolve() == PUBLISHED.resolve()


def test_the_schema_knows_no_keys_and_intervals_but_ours() -> None:
    whole = schema.watch_list_schema()
    watch = whole["$defs"]["Watch"]
    assert whole["additionalProperties"] is watch["additionalProperties"] is False
    assert whole["properties"]["recipients"]["additionalProperties"] is False
    assert watch["properties"]["interval"]["enum"] == list(INTERVALS)
    assert set(watch["properties"]) == {field.alias or name for name, field in Watch.model_fields.items()}


def test_the_reference_has_every_key() -> None:
    text = REFERENCE.read_text()
    for name, field in Watch.model_fields.items():
        assert f"`{field.alias or name}`" in text
