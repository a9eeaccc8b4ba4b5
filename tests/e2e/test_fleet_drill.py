"""Instances of the local fleet go under load, in every way they can: nothing is lost and nothing is told twice."""

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
                signal_a_worker(signal.SIGSTOP),
                stack.fleet.leave,
                lambda instance: stack.fleet.interrupt(instance, SPOT_S),
                signal_a_worker(signal.SIGKILL),
            )
        )

        def trouble(instance: Instance) -> None:
            next(kinds)(instance)

        outcome = drill.run("all", 5, trouble)
        assert stack.driver is not None
        assert stack.driver.failure is None
    assert (outcome.lost, outcome.alerts_lost, outcome.alerts_twice, outcome.cut_off) == (0, 0, 0, 0)
    assert outcome.tasks > 5
    assert outcome.alerts > 0
    assert len(stack.fleet.drained) >= 4  # the hung one, too, is drained; the killed one only gets a new worker
