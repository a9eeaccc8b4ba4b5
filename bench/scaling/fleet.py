"""Queues, instances and the database they share, as a discrete-event model. Times are seconds, seeds are fixed."""

import math
import random
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import simpy

from bench.scaling.load import Message

Process = Generator[simpy.Event, Any, None]

#: Seconds until a new instance is in service, which EC2 takes it for as soon as it runs; and until its workers work.
IN_SERVICE_S = 30.0
BOOT_S = (60.0, 180.0)


class Receive(NamedTuple):
    """How a message gets to a worker (validated.yaml).

    Args:
        idle_s: from a message's arrival to the begin of its task, when a worker waits for it.
        busy_s: from the end of a task to the begin of the next, when messages wait.
    """

    idle_s: float = 0.04
    busy_s: float = 0.015


class TaskTime(NamedTuple):
    """What a live task takes (measured.yaml).

    Args:
        fixed: seconds, whatever it names.
        market: seconds for each market.
        database_share: of both, while which the database works on it.
        spread: standard deviation of the time's logarithm.
    """

    fixed: float
    market: float
    database_share: float
    spread: float

    def seconds(self, markets: int, chance: random.Random) -> float:
        """A random one."""
        mean = self.fixed + self.market * markets
        return mean * chance.lognormvariate(-(self.spread**2) / 2, self.spread)

    def mean(self, markets: int) -> float:
        return self.fixed + self.market * markets


@dataclass(frozen=True)
class Size:
    """What an instance and the database are.

    Args:
        live_slots, bulk_slots: tasks of each kind an instance works on at once.
        database_cores: queries the database works on at once.
    """

    live_slots: int = 2
    bulk_slots: int = 1
    database_cores: int = 2


@dataclass
class Instance:
    """One instance: asked for at `born`, paid until `gone`."""

    on_demand: bool
    born: float
    in_service: float
    works: float
    slots: list[simpy.Process] = field(default_factory=list)
    draining: bool = False
    gone: float = math.inf


class Done(NamedTuple):
    """A message that has been worked off."""

    message: Message
    began: float
    ended: float


class Queue:
    """A queue of work, with the figures SQS tells of it."""

    def __init__(self, env: simpy.Environment) -> None:
        self.waiting = simpy.Store(env)
        self.in_flight = 0
        self.done: list[Done] = []

    @property
    def visible(self) -> int:
        return len(self.waiting.items)


class Fleet:
    """Instances that work on a live and a bulk queue.

    Args:
        started: instances that work from the beginning.
        spot_life_s: mean seconds until a Spot interruption of an instance; None: never.
    """

    def __init__(
        self,
        size: Size,
        task: TaskTime,
        chance: random.Random,
        started: int,
        spot_life_s: float | None = None,
        receive: Receive = Receive(),  # noqa: B008  immutable
    ) -> None:
        self.env = simpy.Environment()
        self.live, self.bulk = Queue(self.env), Queue(self.env)
        self.size, self.task, self.chance = size, task, chance
        self._spot_life_s, self._receive = spot_life_s, receive
        self.database = simpy.Resource(self.env, capacity=size.database_cores)
        self.database_s = 0.0
        self.instances: list[Instance] = []
        self.desired = 0
        self.set_desired(started, at_once=True)

    # --- what scaling sees and does ---

    def in_service(self) -> int:
        return sum(1 for one in self._alive() if one.in_service <= self.env.now)

    def set_desired(self, count: int, at_once: bool = False) -> None:
        """Launch or drain until so many are there or coming."""
        self.desired = count
        alive = self._alive()
        for _ in range(count - len(alive)):
            self._launch(at_once)
        for one in sorted(alive, key=lambda one: (not one.on_demand, one.born), reverse=True)[
            : max(0, len(alive) - count)
        ]:
            self._drain(one)

    def instance_hours(self, start: float, end: float) -> float:
        """Paid between two times."""
        spans = (min(one.gone, end) - max(one.born, start) for one in self.instances)
        return sum(max(0.0, span) for span in spans) / 3600

    # --- the work ---

    def feed(self, live: Iterable[Message]) -> Process:
        """Queue live messages as they come, in order of time."""
        for message in live:
            yield self.env.timeout(max(0.0, message.at - self.env.now))
            self.live.waiting.put(message)

    def flood(self, at: float, tasks: int, seconds: float) -> Process:
        """Queue bulk tasks, all at once; each takes about so many seconds."""
        yield self.env.timeout(at)
        for _ in range(tasks):
            self.bulk.waiting.put(Message(at, at, round(seconds)))

    def _alive(self) -> list[Instance]:
        return [one for one in self.instances if not one.draining]

    def _launch(self, at_once: bool) -> None:
        now = self.env.now
        boot = 0.0 if at_once else self.chance.uniform(*BOOT_S)
        # The first is on demand, as in the template; the others are Spot.
        on_demand = not any(other.on_demand for other in self._alive())
        one = Instance(on_demand, now, now if at_once else now + IN_SERVICE_S, now + boot)
        self.instances.append(one)
        kinds = [self.live] * self.size.live_slots + [self.bulk] * self.size.bulk_slots
        one.slots = [self.env.process(self._slot(one, queue)) for queue in kinds]
        if self._spot_life_s and not on_demand:
            self.env.process(self._interrupt(one, self.chance.expovariate(1 / self._spot_life_s)))

    def _interrupt(self, one: Instance, life_s: float) -> Process:
        """A Spot notice: what it works on is finished or goes back within the two minutes, another is launched."""
        yield self.env.timeout(life_s)
        if not one.draining:
            self._drain(one)
            self._launch(at_once=False)

    def _drain(self, one: Instance) -> None:
        one.draining = True
        for slot in one.slots:
            if slot.is_alive:
                slot.interrupt()
        self.env.process(self._end(one))

    def _end(self, one: Instance) -> Process:
        yield simpy.AllOf(self.env, one.slots)
        one.gone = self.env.now

    def _slot(self, one: Instance, queue: Queue) -> Process:
        """Take a message, work on it, again; told to drain, finish what is in hand and take no other."""
        try:
            yield self.env.timeout(one.works - self.env.now)
        except simpy.Interrupt:
            return
        while not one.draining:
            asked = queue.waiting.get()
            try:
                message = yield asked
            except simpy.Interrupt:
                if asked.triggered:  # it came in the same moment
                    queue.waiting.put(asked.value)
                asked.cancel()
                return
            queue.in_flight += 1
            yield from self._whole(self._work(queue, message))
            queue.in_flight -= 1

    def _whole(self, work: Process) -> Process:
        """Work that a drain does not cut off."""
        done = self.env.process(work)
        while not done.processed:
            try:
                yield done
            except simpy.Interrupt:
                continue

    def _work(self, queue: Queue, message: Message) -> Process:
        waited = self.env.now - message.at
        yield self.env.timeout(max(self._receive.busy_s, self._receive.idle_s - waited))
        began = self.env.now
        if queue is self.bulk:
            yield self.env.timeout(self.chance.expovariate(1 / message.markets))
        else:
            whole = self.task.seconds(message.markets, self.chance)
            asked = whole * self.task.database_share
            yield self.env.timeout(whole - asked)
            with self.database.request() as core:
                yield core
                yield self.env.timeout(asked)
            self.database_s += asked
        queue.done.append(Done(message, began, self.env.now))
