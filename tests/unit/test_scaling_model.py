"""The discrete-event model keeps to what must hold of any such fleet."""

import random

import numpy as np
import pytest

from bench.scaling.autoscaler import LOW, AutoScaler
from bench.scaling.fleet import IN_SERVICE_S, Fleet, Receive, Size, TaskTime
from bench.scaling.load import MOST_A_SECOND, Load, Message
from bench.scaling.policy import Parameters, Policy, queue_length, seconds_of_work, workers_needed
from bench.scaling.simulate import Flood, simulate, weighted_percentile

TASK = TaskTime(fixed=0.02, market=0.002, database_share=0.5, spread=0.2)
SIZE = Size(live_slots=2, bulk_slots=1, database_cores=4)


def static(count: int) -> Policy:
    return Policy("static", None, lambda now: count, 20)


def ours(least: int = 1, most: int = 10) -> Policy:
    given = Parameters(live_mean_seconds=0.22)
    return Policy("ours", lambda figures: seconds_of_work(figures, given), lambda now: least, most)


@pytest.mark.parametrize(
    "policy", [static(1), ours(), Policy("step", queue_length, lambda now: 1, 10, one_by_one=True)]
)
@pytest.mark.parametrize("spot_life_s", [None, 600.0])
@pytest.mark.parametrize("rates", [(), (20.0, 5.0, 0.5)])
def test_every_market_of_every_close_is_evaluated_exactly_once(policy, spot_life_s, rates) -> None:
    load = Load(800, 60, rates)
    outcome = simulate(load, policy, SIZE, TASK, 1800.0, 0.0, spot_life_s=spot_life_s)
    assert outcome.evaluated == outcome.closed == 800 * 30


def test_an_ample_static_fleet_waits_for_nothing_but_delivery_and_the_task() -> None:
    load = Load(1000, 60, (25.0,) * 4)
    outcome = simulate(load, static(10), SIZE, TASK, 3600.0, 0.0)
    chance = random.Random(1)
    delivered = [one for close in range(0, 3600, 60) for one in load.messages(float(close), chance)]
    ages = np.array([one.at - one.close for one in delivered])
    markets = np.array([one.markets for one in delivered])
    most = Receive().idle_s + TASK.mean(25)
    assert outcome.p95 == pytest.approx(weighted_percentile(ages, markets, 95) + most, abs=2.0)
    assert outcome.wait_p95 < 2 * most


def test_workers_are_as_busy_as_the_utilisation_law_says() -> None:
    """Busy slots = tasks a second x seconds of a task; of the database, its share of that."""
    task = TASK._replace(spread=0.0)
    load = Load(2000, 60)
    outcome = simulate(load, static(2), SIZE, task, 3600.0, 0.0)
    offered = 20 / 60 * task.mean(100)
    assert outcome.database == pytest.approx(offered * task.database_share, rel=0.05)


def test_one_slot_serves_in_the_order_of_arrival_without_a_pause() -> None:
    size = Size(live_slots=1, bulk_slots=0, database_cores=1)
    fleet = Fleet(size, TaskTime(1.0, 0.0, 0.0, 0.0), random.Random(1), 1, receive=Receive(0.0, 0.25))
    fleet.env.process(fleet.feed([Message(10.0, 0.0, number) for number in (1, 2, 3)]))
    fleet.env.run(until=60.0)
    assert [(one.message.markets, one.ended) for one in fleet.live.done] == [(1, 11.25), (2, 12.5), (3, 13.75)]


def test_more_work_than_a_fleet_can_do_is_told_apart_from_late_work() -> None:
    assert not simulate(Load(100_000, 60), static(1), SIZE, TASK, 1800.0, 0.0).keeps_up


def test_a_flood_of_bulk_work_grows_the_fleet_and_does_not_delay_live_work() -> None:
    load = Load(500, 60)
    quiet = simulate(load, ours(), SIZE, TASK, 3 * 3600.0, 0.0)
    flooded = simulate(load, ours(), SIZE, TASK, 3 * 3600.0, 0.0, flood=Flood(600.0, 500, 20.0))
    assert (quiet.most_workers, flooded.most_workers) == (1, 10)
    assert flooded.flood_s is not None
    assert flooded.flood_s < 500 * 20 / 5
    assert flooded.trace[-1][2] == 1, "it is scaled in again"
    assert flooded.wait_p95 <= quiet.wait_p95 * 1.2


def test_a_drained_worker_finishes_what_it_has_in_hand_and_takes_no_more() -> None:
    size = Size(live_slots=1, bulk_slots=0, database_cores=1)
    fleet = Fleet(size, TaskTime(10.0, 0.0, 0.0, 0.0), random.Random(1), 1, receive=Receive(0.0, 0.0))
    fleet.env.process(fleet.feed([Message(0.0, 0.0, 1), Message(0.0, 0.0, 1)]))
    fleet.env.run(until=5.0)
    fleet.set_desired(0)
    fleet.env.run(until=60.0)
    assert [one.ended for one in fleet.live.done] == [10.0]
    assert (fleet.live.visible, fleet.live.in_flight) == (1, 0)
    assert fleet.instance_hours(0.0, 60.0) == pytest.approx(10 / 3600)


def scaler(desired: int) -> AutoScaler:
    made = AutoScaler(Fleet(SIZE, TASK, random.Random(1), desired), ours(), random.Random(1))
    made.fleet.env.run(until=3600.0)
    return made


def test_three_figures_above_the_target_grow_it_in_proportion_and_fifteen_below_shrink_it() -> None:
    growing = scaler(2)
    assert [growing.judge(load=1.8, counted=2) for _ in range(3)] == [2, 2, 4]
    shrinking = scaler(4)
    assert [shrinking.judge(load=0.3, counted=4) for _ in range(LOW)] == [4] * (LOW - 1) + [2]
    steady = scaler(3)
    assert {steady.judge(load=0.95, counted=3) for _ in range(30)} == {3}


def test_nothing_is_scaled_in_while_an_instance_warms_up() -> None:
    made = scaler(1)
    made.fleet.set_desired(4)
    made.fleet.env.run(until=made.fleet.env.now + IN_SERVICE_S + 10.0)
    assert [made.judge(load=0.1, counted=4) for _ in range(LOW)][-1] == 4


def test_a_source_is_read_no_faster_than_it_allows_and_messages_are_shared_for_a_second() -> None:
    load = Load(600, 300, (10.0, 2.0, 1000.0))
    assert sum(load.shares()) == 600
    assert load.reading_s() == pytest.approx(600 / (10.0 + 2.0 + MOST_A_SECOND), rel=0.05)
    messages = load.messages(0.0, random.Random(3))
    assert sum(one.markets for one in messages) == 600
    assert all(one.markets <= MOST_A_SECOND + 1 for one in messages)


def test_what_the_exchanges_do_not_allow_is_said() -> None:
    assert Load(500, 60, (10.0,)).is_possible()
    assert not Load(700, 60, (10.0,)).is_possible()
    assert Load(700, 300, (10.0,)).is_possible()


def test_workers_are_counted_by_the_work_of_a_close() -> None:
    assert workers_needed(work_s=8.0, within_s=10.0, live_slots=2, busy=0.8) == 1
    assert workers_needed(work_s=33.0, within_s=10.0, live_slots=2, busy=0.8) == 3
