"""What a person does to a running system: migrate, apply a watch list, list alerts, ask for its status and gaps."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cryptowatch.clock import Clock
from cryptowatch.pipeline.catalog import ExchangeCatalog
from cryptowatch.pipeline.figures import metrics
from cryptowatch.pipeline.history import BackfillRequest, backfills
from cryptowatch.pipeline.mutes import MuteRequest, acknowledge_alert, change_mute
from cryptowatch.pipeline.preview_request import PreviewRequest, ask_preview, preview_outcome
from cryptowatch.pipeline.refused import RefusedError
from cryptowatch.pipeline.subscriptions import Confirmation, Subscriptions
from cryptowatch.pipeline.transfer import ExportRequest, ImportRequest, export_batch, import_batch
from cryptowatch.queues import BACKFILL, PREVIEW, StudiesQueue, depth
from cryptowatch.settings import Settings
from cryptowatch.store import status
from cryptowatch.store.database import Connection, transaction
from cryptowatch.store.deliveries import counts
from cryptowatch.store.gaps import Asked, GapsRefusedError, gaps
from cryptowatch.store.migrate import migrate, schema_version
from cryptowatch.store.mutes import NothingNamedError, check_name, running_mutes
from cryptowatch.store.recipients import Recipient, live_recipients, remove_recipient, save_recipient, save_settings
from cryptowatch.store.reviews import marked, told_of_gaps
from cryptowatch.store.track_records import record_rows
from cryptowatch.store.watches import apply_watches
from cryptowatch.watches.form import CheckedWatchList
from cryptowatch.watches.values import Duration, IntervalName, MarketName

logger = Logger(service="control")


ACTIONS = (
    "migrate",
    "apply",
    "alerts",
    "status",
    "gaps",
    "metrics",
    "track_record",
    "preview",
    "mute",
    "ack",
    "confirm",
    "backfill",
    "import",
    "export",
)


class UnknownActionError(RefusedError):
    """The request names no action."""


class _DryRunError(Exception):
    """Raised to roll a dry run back."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    action: str
    watch_list: CheckedWatchList | None = None
    dry_run: bool = False
    limit: int = Field(default=20, ge=1, le=1000)
    source: str | None = None
    market: MarketName | None = None
    interval: IntervalName | None = None
    since: Duration = Field(default=timedelta(days=30), gt=timedelta(0))
    watch: str | None = None
    each_market: bool = False
    preview: PreviewRequest | None = None
    preview_id: int | None = Field(default=None, ge=1)
    mute: MuteRequest | None = None
    alert_id: int | None = Field(default=None, ge=1)
    confirmation: Confirmation | None = None
    backfill: BackfillRequest | None = None
    import_: ImportRequest | None = Field(default=None, alias="import")
    export: ExportRequest | None = None


class Control:
    """Answers requests; each method gives JSON-ready data.

    Args:
        sns: boto3 client, for the recipients' subscriptions.
        sqs: boto3 client, for the depths of the queues.
    """

    def __init__(self, connection: Connection, clock: Clock, settings: Settings, sns: Any, sqs: Any) -> None:
        self._connection = connection
        self._clock = clock
        self._settings = settings
        self._sns = sns
        self._sqs = sqs

    @property
    def _subscriptions(self) -> Subscriptions:
        return Subscriptions(self._sns, self._settings.alert_topic_arn)

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what `request["action"]` says.

        Raises:
            RefusedError: there is no such action, or it cannot be done as asked.
            pydantic.ValidationError: the request is not of its form.
        """
        asked = _Request.model_validate(request)
        match asked.action:
            case "migrate":
                return {
                    "applied": migrate(self._connection),
                    "schema_version": schema_version(self._connection),
                }
            case "apply" if asked.watch_list is not None:
                return self.apply(asked.watch_list, dry_run=asked.dry_run)
            case "alerts":
                return {"alerts": status.newest_alerts(self._connection, asked.limit)}
            case "status":
                return self.status()
            case "gaps":
                return self.gaps(asked)
            case "metrics":
                return metrics(self._connection)
            case "track_record":
                return self.track_records(asked.watch, each=asked.each_market)
            case "preview" if asked.preview is not None:
                return ask_preview(self._connection, asked.preview, self._queue_preview)
            case "preview_outcome" if asked.preview_id is not None:
                return preview_outcome(self._connection, asked.preview_id)
            case "mute" if asked.mute is not None:
                return change_mute(self._connection, asked.mute, self._clock.now())
            case "ack" if asked.alert_id is not None:
                return acknowledge_alert(self._connection, asked.alert_id, self._clock.now())
            case "confirm" if asked.confirmation is not None:
                return self._subscriptions.confirm(asked.confirmation)
            case "backfill" if asked.backfill is not None:
                return self.backfill(asked.backfill)
            case "import" if asked.import_ is not None:
                return import_batch(self._connection, asked.import_, self._clock.now())
            case "export" if asked.export is not None:
                return export_batch(self._connection, asked.export)
        raise UnknownActionError(f"unknown action {asked.action!r}: one of {', '.join(ACTIONS)}")

    def apply(self, watch_list: CheckedWatchList, *, dry_run: bool) -> dict[str, Any]:
        """Store the watch list, then bring the topic's subscriptions in line; says what was added, changed, removed.

        The list is stored before SNS is asked, so no lock waits for SNS. Whatever of the subscriptions fails is made
        good by applying again: they are compared with what the topic has.
        """
        now = self._clock.now()
        report: dict[str, Any] = {}
        try:
            with transaction(self._connection) as cursor:
                report |= apply_watches(cursor, watch_list, now, ExchangeCatalog(offline=True).intervals)
                before, wanted = live_recipients(cursor), watch_list.recipients
                gone = [name for name in before if name not in wanted]
                new = [name for name, email in wanted.items() if name not in before or before[name].email != email]
                for name in gone:
                    remove_recipient(cursor, name, now)
                for name in new:
                    save_recipient(cursor, Recipient(name, wanted[name], None))
                changed = [name for name in save_settings(cursor, wanted, watch_list.delivery) if name not in new]
                report |= {"recipients_added": new, "recipients_changed": changed, "recipients_removed": gone}
                if dry_run:
                    raise _DryRunError
        except _DryRunError:
            return report
        made, report["pending_gone"] = self._subscriptions.reconcile(watch_list.recipients)
        with transaction(self._connection) as cursor:
            for name, arn in made.items():
                save_recipient(cursor, Recipient(name, watch_list.recipients[name], arn))
        report["recipients_added"] = [*new, *(name for name in made if name not in new)]
        logger.info("applied", extra=report)
        return report

    def status(self) -> dict[str, Any]:
        """Sources, watches, deliveries, queues and recipients, as they stand."""
        standing = self._subscriptions.standing()
        with transaction(self._connection) as cursor:
            deliveries = counts(cursor)
            recipients = live_recipients(cursor)
            muted = running_mutes(cursor, self._clock.now())
        return {
            "schema_version": schema_version(self._connection),
            "now": self._clock.now().isoformat(),
            "sources": status.source_rows(self._connection, self._clock.now()),
            "series_errors": status.series_errors(self._connection),
            "delisted": status.delisted_markets(self._connection, self._clock.now()),
            "built": status.built_intervals(self._connection),
            "watches": status.watch_rows(self._connection, self._clock.now()),
            "deliveries": deliveries,
            "muted": muted,
            "queues": {
                "analysis": depth(self._sqs, self._settings.analysis_queue_url),
                "alerts": depth(self._sqs, self._settings.alerts_queue_url),
            },
            "recipients": [
                {"name": one.name, **standing.get(one.email, {"confirmed": False, "by_click": False})}
                for one in recipients.values()
            ],
        }

    def backfill(self, asked: BackfillRequest) -> dict[str, Any]:
        """Start or end the backfills asked for; gives how they stand."""
        retention = self._settings.candle_retention
        return backfills(self._connection, asked, self._clock.now(), retention, self._queue_backfill)

    def _queue_preview(self, preview_id: int) -> None:
        StudiesQueue(self._settings).send(PREVIEW, preview_id=preview_id)

    def _queue_backfill(self, source: str) -> None:
        StudiesQueue(self._settings).send(BACKFILL, source=source)

    def track_records(self, watch: str | None, *, each: bool) -> dict[str, Any]:
        """What followed the past signals of one watch, or of all; on each market too, which may be thousands."""
        with transaction(self._connection) as cursor:
            if watch is not None:
                try:
                    check_name(cursor, "watch", watch)
                except NothingNamedError as error:
                    raise RefusedError(str(error)) from None
            return {"records": record_rows(cursor, watch, each=each)}

    def gaps(self, asked: _Request) -> dict[str, Any]:
        """The holes of the stored series within the time asked for."""
        now = self._clock.now()
        try:
            wanted = Asked(now - asked.since, asked.limit, asked.source, asked.market, asked.interval)
            told = gaps(self._connection, wanted, now)
        except GapsRefusedError as error:
            raise RefusedError(str(error)) from None
        with transaction(self._connection) as cursor:
            told_of_gaps(cursor, told["gaps"])
            return {**told, "marked": marked(cursor, wanted.since, asked.limit)}


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a request, as one line."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where or 'request'}: {problem['msg'].removeprefix('Value error, ')}"
