"""Asking for a preview over the stored candles, and for what came out."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.previews import outcome, save_request
from cryptowatch.watches.form import CheckedWatchList
from cryptowatch.watches.values import LongerThanNothing

#: What is answered when there is nothing to preview on.
NOTHING_STORED = "none of these markets has stored candles yet"


class PreviewRequest(BaseModel):
    """What is to be previewed.

    Args:
        only: the name of the one watch; None: all.
        since: how long ago the list is taken to have been applied; None: before the first stored candle.
    """

    model_config = ConfigDict(extra="forbid")

    watch_list: CheckedWatchList
    only: str | None = None
    since: LongerThanNothing | None = None


def ask_preview(connection: Connection, asked: PreviewRequest, queue: Callable[[int], object]) -> dict[str, Any]:
    """Keep what is asked and queue it; gives its `id`."""
    names = [one.watch.name for one in asked.watch_list.watches]
    if asked.only is not None and asked.only not in names:
        raise RefusedError(f"the list has no watch {asked.only!r}: it has {', '.join(names)}")
    with transaction(connection) as cursor:
        preview_id = save_request(cursor, asked.model_dump_json(by_alias=True))
    queue(preview_id)
    return {"id": preview_id}


def preview_outcome(connection: Connection, preview_id: int) -> dict[str, Any]:
    """How far it is: `done`, and `result` or `error` when it is over.

    Raises:
        RefusedError: there is no such preview.
    """
    with transaction(connection) as cursor:
        found = outcome(cursor, preview_id)
    if found is None:
        raise RefusedError(f"there is no preview {preview_id}: it is kept for a day")
    return found
