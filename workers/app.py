"""The Celery app of a worker: `celery -A workers.app worker -Q analysis` for live work, `-Q studies` for bulk work.

At least once, and idempotent: a task's message is acknowledged when its work is committed. What a lost process or a
killed child held comes back; what can never be done is rejected and ends in the dead-letter queue.
"""

from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init

from cryptowatch.queues import ANALYSIS, STUDIES, celery_app
from cryptowatch.settings import Settings
from workers.health import install
from workers.log import configure_logging


def build_app(settings: Settings) -> Celery:
    """The producers' app, with what only a consumer needs."""
    app = celery_app({ANALYSIS: settings.analysis_queue_url, STUDIES: settings.studies_queue_url})
    app.conf.update(
        imports=["workers.tasks", "workers.studies"],
        task_acks_late=True,
        task_acks_on_failure_or_timeout=False,
        task_reject_on_worker_lost=True,
        worker_consumer="workers.consumer:RejectingConsumer",
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        task_queues=None,
        task_create_missing_queues=True,
        task_default_queue=ANALYSIS,
    )
    install(app)
    return app


app = build_app(Settings())
app.set_current()


@setup_logging.connect  # type: ignore[untyped-decorator]
def _configure_logging(**_: Any) -> None:
    configure_logging()


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _warm_up(**_: Any) -> None:
    """Load the compiled kernels before the first live task, not within it."""
    if ANALYSIS in app.amqp.queues.consume_from:
        from cryptowatch.rules import warm_up

        warm_up()
