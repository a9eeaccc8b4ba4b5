"""The JSON Schema of a watch list: gives editors completion, descriptions and a first check.

`watches.schema.json` beside this file is what `schema_text` says; a test keeps it so.
"""

import json
from typing import Any

from cryptowatch.watches.form import WatchList

#: How the published file begins.
_HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Crypto Watch: watch list",
    "description": "Who gets emails, and about what: see docs/watches.md.",
}


def watch_list_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a watch list as a user writes it."""
    schema = WatchList.model_json_schema(by_alias=True)
    _clean(schema)
    return {**_HEAD, **schema}


def schema_text() -> str:
    """The schema as the published file holds it."""
    return json.dumps(watch_list_schema(), indent=2) + "\n"


def _clean(schema: dict[str, Any]) -> None:
    """Take out what says nothing to a reader: titles made from names, the models' docstrings, empty defaults."""
    if isinstance(schema.get("title"), str):  # not a property of that name
        schema.pop("title")
    if schema.get("default", "") is None:
        schema.pop("default")
    if "properties" in schema:
        schema.pop("description", None)
    for value in schema.values():
        if isinstance(value, dict):
            _clean(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    _clean(item)
