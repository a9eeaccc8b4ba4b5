"""What of a watch decides about its alerts."""

from cryptowatch.alerts.episode import Policy
from cryptowatch.watches.form import Watch


def policy_of(watch: Watch) -> Policy:
    """The policy by which `advance` moves the watch's episodes: the one place that makes it."""
    return Policy(
        for_=watch.for_,
        cooldown=watch.cooldown,
        resolved=watch.resolved,
        repeat=watch.repeat,
        once=watch.once,
        starts=watch.starts,
        expires=watch.expires,
    )
