"""What a watch list would have told over a folder of recorded candles."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptowatch.cli.recorded import SOURCE, RecordedFolder
from cryptowatch.cli.recorded_markets import RecordedWatch, read_recorded
from cryptowatch.studies.evaluate import evaluate
from cryptowatch.studies.history import MarketHistory
from cryptowatch.studies.report import report
from cryptowatch.studies.subject import Findings, Subject, begun_at, moments_of
from cryptowatch.watches.problem import Problem, did_you_mean
from cryptowatch.watches.values import parse_duration

#: The share of the work on some markets that reading their files is, about.
_READING = 0.4

#: Told how much of the work is done, from 0 to 1.
Progress = Callable[[float], object]


class PreviewError(Exception):
    """There is nothing that can be previewed; one line."""


def preview(
    text: str,
    file: str,
    folder: Path,
    *,
    only: str | None = None,
    since: str | None = None,
    warn: Callable[[Problem], object] = lambda problem: None,
    progress: Progress = lambda done: None,
) -> dict[str, Any]:
    """The alerts and emails that a watch list would have given over a folder of recorded candles.

    Args:
        text: the watch list, YAML.
        file: what to call it in messages.
        only: the name of the one watch to preview; None: all.
        since: how long before the newest candle the list is applied, like `90d`; None: before the first one.
        warn: told of what can be used, but is hardly meant.

    Returns:
        What `cryptowatch.studies.report.report` gives, and besides: `candles`, the folder; `without_candles`, each
        with `watch`, `market` and `why`; `stars`, each with `watch`, `name` and how many `records` it stands for;
        `shared`, records that stand for several markets of a watch, each with `watch`, `record` and `markets`.

    Raises:
        WatchListError: the list is not right.
        BadRecordError: the records cannot be read.
        PreviewError: no such watch, a malformed `since`, or no market with a record.
    """
    length = _duration(since)
    recorded = RecordedFolder(folder)
    watches, settings = read_recorded(text, file, recorded.files, warn)
    chosen = [one for one in watches if only in (None, one.watch.name)]
    if not chosen:
        names = [one.watch.name for one in watches]
        raise PreviewError(f"{file} has no watch {only!r}: {did_you_mean(str(only), names)}")
    symbols = sorted({symbol for one in chosen for symbol in one.records})
    if not symbols:
        raise PreviewError(f"none of the markets has a record in {folder}: it has {_some(sorted(recorded.files))}")
    ids = {symbol: id_ for id_, symbol in enumerate(symbols)}
    start = None if length is None else recorded.end(symbols) - length
    subjects = [Subject.of(one.watch, (ids[symbol] for symbol in one.records if symbol in ids)) for one in watches]
    previewed = [subject for subject, one in zip(subjects, watches, strict=True) if one in chosen]
    findings = [Findings() for _ in previewed]
    for markets, done in _read(recorded, ids, previewed, progress):
        known = begun_at(markets, subjects, start)
        evaluate(previewed, known, start, findings, _share(done, moments_of(previewed, known, start)))
    market_names = {id_: f"{SOURCE}:{symbol}" for symbol, id_ in ids.items()}
    told = report(previewed, findings, market_names, settings)
    seen = [{symbols[id_] for id_ in one.markets} for one in findings]
    return {"candles": str(folder), **_about_records(chosen, seen), **told}


def _read(
    recorded: RecordedFolder, ids: Mapping[str, int], subjects: Sequence[Subject], progress: Progress
) -> Iterator[tuple[dict[int, MarketHistory], Progress]]:
    """Markets by id, some at a time, and whom to tell how much of the work on them is done once they are read."""
    before = 0
    for batch in recorded.batches(ids):
        intervals = {
            symbol: {name for one in subjects if ids[symbol] in one.markets for name in one.rule.look_back}
            for symbol in batch
        }
        part = _part_of(progress, before / len(ids), len(batch) / len(ids))
        markets: dict[int, MarketHistory] = {}
        for place, symbol in enumerate(batch):
            markets[ids[symbol]] = recorded.read(symbol, intervals[symbol])
            part(_READING * (place + 1) / len(batch))
        yield markets, _part_of(part, _READING, 1 - _READING)
        before += len(batch)


def _part_of(progress: Progress, base: float, share: float) -> Progress:
    """For telling how much is done of a part of the work, which begins at `base` and is a `share` of it."""
    return lambda done: progress(base + share * done)


def _share(progress: Progress, total: int) -> Callable[[int], object]:
    """Adds up what is done of a total and tells the share."""
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        progress(done / total)

    return add


def _duration(text: str | None) -> timedelta | None:
    try:
        length = None if text is None else parse_duration(text)
    except ValueError as error:
        raise PreviewError(f"--since: {error}") from None
    if length == timedelta(0):
        raise PreviewError("--since: must be longer than nothing")
    return length


def _about_records(watches: Sequence[RecordedWatch], seen: Sequence[set[str]]) -> dict[str, Any]:
    """Which markets had no candles, and what stands for others.

    Args:
        seen: for each watch the symbols it was evaluated on.
    """
    missing = []
    for one, symbols in zip(watches, seen, strict=True):
        name, interval = one.watch.name, one.watch.interval
        missing += [{"watch": name, "market": market, "why": "no file"} for market in one.no_record]
        missing += [
            {"watch": name, "market": market, "why": f"no {interval} candles in its files at that time"}
            for symbol, markets in one.records.items()
            if symbol not in symbols
            for market in markets
        ]
    return {
        "without_candles": missing,
        "stars": [
            {"watch": one.watch.name, "name": star, "records": count}
            for one in watches
            for star, count in one.stars.items()
        ],
        "shared": [
            {"watch": one.watch.name, "record": f"{SOURCE}:{symbol}", "markets": list(markets)}
            for one in watches
            for symbol, markets in one.records.items()
            if len(markets) > 1
        ],
    }


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
