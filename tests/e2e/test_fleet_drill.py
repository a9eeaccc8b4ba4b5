"""Instances of the local fleet go under load: nothing is lost, nothing is told twice. The long form is `make drill`."""

import signal
from itertools import cycle

import pytest

from bench.drill import SPOT_S, Size, drilled_stack, signal_a_worker
from cryptowatch.local.instance import Instance


@pytest.mark.slow
def test_no_task_and_no_alert_is_lost_whatever_becomes_of_an_instance() -> None:
    with drilled_stack(Size(instances=3, backlog=8, long_s=3.0, visibility_s=10)) as (stack, drill):
        kinds = cycle(
            (
                stack.fleet.leave,
                lambda instance: stack.fleet.interrupt(instance, SPOT_S),
                signal_a_worker(signal.SIGKILL),
            )
        )

        def trouble(instance: Instance) -> None:
            next(kinds)(instance)

        outcome = drill.run("all", 4, trouble)
        assert stack.driver is not None
        assert stack.driver.failure is None
    assert (outcome.lost, outcome.alerts_lost, outcome.alerts_twice, outcome.cut_off) == (0, 0, 0, 0)
    assert outcome.tasks > 4
    assert outcome.alerts > 0
    assert len(stack.fleet.drained) >= 3  # one was killed, and only got a new worker
