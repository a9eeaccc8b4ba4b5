"""What can go wrong with a source, by what must be done about it."""


class SourceError(Exception):
    """Something is wrong with a source."""


class SourceUnavailableError(SourceError):
    """The whole source must be left alone for now.

    Args:
        message: one line.
        retry_after: seconds it asked us to wait; None when it did not say.
        asked_to_wait: it refused us for asking too much, so going on would make it worse.
    """

    def __init__(self, message: str, retry_after: float | None = None, *, asked_to_wait: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.asked_to_wait = asked_to_wait


class UnknownSourceError(SourceError):
    """No source has this name."""


class MarketError(SourceError):
    """Something is wrong with one market; the others go on."""


class UnknownSymbolError(MarketError):
    """The source does not list the symbol (any more)."""


class MarketRequestFailedError(MarketError):
    """A request got no usable answer: time-out, connection broken, HTTP 5xx."""


class BadAnswerError(MarketError):
    """The answer is not of the exchange's form, or holds figures that cannot be true."""
