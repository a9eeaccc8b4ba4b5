"""The Auto Scaling group's side: figures once a minute, alarms over several of them, a new desired capacity."""

import math
import random
from collections import deque

from bench.scaling.fleet import Fleet, Process
from bench.scaling.policy import Figures, Policy

#: Seconds between two figures of a queue or group, and until a figure is there to be judged.
PERIOD_S = 60.0
DELAY_S = 60.0
#: Figures in a row above the target before it grows; below 0.9 of it before it shrinks: target tracking's two alarms.
HIGH, LOW = 3, 15
LOW_SHARE = 0.9
#: Seconds after an instance came into service during which nothing is scaled in (DefaultInstanceWarmup).
WARM_UP_S = 120.0


class AutoScaler:
    """Judges a fleet by a policy, minute after minute.

    Args:
        chance: when within a minute SQS looks at its queues.
        delay_s: from then until the figure is judged.
    """

    def __init__(self, fleet: Fleet, policy: Policy, chance: random.Random, delay_s: float = DELAY_S) -> None:
        self.fleet, self.policy, self.chance, self.delay_s = fleet, policy, chance, delay_s
        self._loads: deque[float] = deque(maxlen=LOW)

    def run(self) -> Process:
        """Sample once a minute, for ever."""
        env = self.fleet.env
        while True:
            phase = self.chance.uniform(0.0, PERIOD_S)
            yield env.timeout(phase)
            env.process(self._figure(self._figures()))
            yield env.timeout(PERIOD_S - phase)

    def keep_least(self) -> Process:
        """Scheduled changes of the least number, looked for every half minute."""
        while True:
            least = self.policy.least(self.fleet.env.now)
            if self.fleet.desired < least:
                self.fleet.set_desired(least)
            yield self.fleet.env.timeout(30.0)

    def _figures(self) -> Figures:
        live, bulk = self.fleet.live, self.fleet.bulk
        return Figures(live.visible, live.in_flight, bulk.visible, bulk.in_flight, self.fleet.in_service())

    def _figure(self, figures: Figures) -> Process:
        yield self.fleet.env.timeout(self.delay_s)
        if self.policy.load is not None:
            wanted = self.judge(self.policy.load(figures), max(1, int(figures.n)))
            if wanted != self.fleet.desired:
                self.fleet.set_desired(wanted)

    def judge(self, load: float, counted: int) -> int:
        """The desired capacity that follows from one more figure, the load of so many instances in service."""
        self._loads.append(load)
        recent, wanted = list(self._loads), self.fleet.desired
        if len(recent) >= HIGH and min(recent[-HIGH:]) > 1:
            wanted = max(wanted, wanted + 1 if self.policy.one_by_one else math.ceil(counted * load - 1e-9))
        elif len(recent) == LOW and max(recent) < LOW_SHARE and not self._warming():
            wanted = min(wanted, wanted - 1 if self.policy.one_by_one else math.ceil(counted * load - 1e-9))
        return max(self.policy.least(self.fleet.env.now), min(wanted, self.policy.most))

    def _warming(self) -> bool:
        now = self.fleet.env.now
        return any(not one.draining and now < one.in_service + WARM_UP_S for one in self.fleet.instances)
