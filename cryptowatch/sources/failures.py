"""ccxt's errors to ours, told apart by what must be done about them."""

import math
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from cryptowatch.sources.ccxt_parts import errors as ccxt_errors
from cryptowatch.sources.errors import (
    BadAnswerError,
    MarketRequestFailedError,
    SourceError,
    SourceUnavailableError,
    UnknownSymbolError,
)

_ccxt: Any = ccxt_errors()

#: What exchanges answer to a client that asks too much (418: Binance, to one that went on after 429).
_TOO_MUCH = frozenset({418, 429})
#: What they answer to one they do not want: no key, forbidden, a proxy's, not for your country.
_REFUSED = frozenset({401, 403, 407, 451})
#: Seconds for which we wait at most when told to: Binance's longest ban.
_LONGEST_WAIT_S = 3 * 86400.0


def source_error(
    error: Exception, source: str, what: str, headers: Mapping[str, str], timeout_seconds: float
) -> SourceError:
    """What one of ccxt's errors means for us. A market's error says what went wrong; the caller says with which.

    Args:
        source: its name.
        what: what was asked for: a symbol, or `markets` or `time`.
        headers: those of the last answer.
        timeout_seconds: how long a request may take.
    """
    status = _http_status(error)
    if status in _TOO_MUCH or isinstance(error, _ccxt.RateLimitExceeded | _ccxt.DDoSProtection):
        wait = retry_after(headers)
        told = f", and asks to wait {wait:g} s" if wait is not None else ""
        return SourceUnavailableError(f"{source} refuses: too many requests{told}", wait, asked_to_wait=True)
    if status in _REFUSED or isinstance(error, _ccxt.AuthenticationError | _ccxt.RestrictedLocation):
        return SourceUnavailableError(f"{source} refuses us: {f'HTTP {status}' if status else _short(error)}")
    if _cannot_connect(error):
        return SourceUnavailableError(f"{source} cannot be reached")
    if isinstance(error, _ccxt.BadSymbol) or "nknown asset pair" in str(error) or "NotFound" in str(error):
        return UnknownSymbolError(f"{source} does not list {what}")
    if status is not None and status >= 500:
        return MarketRequestFailedError(f"HTTP {status}")
    if isinstance(error, _ccxt.RequestTimeout):
        return MarketRequestFailedError(f"no answer in {timeout_seconds:g} s")
    if isinstance(error, _ccxt.BadResponse):
        return BadAnswerError(_short(error))
    if isinstance(error, _ccxt.OperationFailed) or isinstance(error.__cause__, requests.ConnectionError):
        return MarketRequestFailedError(f"HTTP {status}" if status else _short(error))
    if isinstance(error, _ccxt.ExchangeError):
        return BadAnswerError(_short(error))
    # ccxt stumbles with Python's own errors over answers that are not of the exchange's form.
    return BadAnswerError(f"the answer cannot be read: {_short(error)}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the last answer asks us to wait (RFC 9110, 10.2.3: seconds, or a date); None when it does not say."""
    found = {name.lower(): value for name, value in headers.items()}
    text = found.get("retry-after")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - parsedate_to_datetime(found["date"])).total_seconds()
        except (KeyError, ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if math.isfinite(seconds) else None


def _http_status(error: BaseException) -> int | None:
    for one in _chain(error):
        if isinstance(one, requests.HTTPError) and one.response is not None:
            return one.response.status_code
    return None


def _cannot_connect(error: BaseException) -> bool:
    """No connection was made at all: no such host, refused, no route."""
    for one in _chain(error):
        reason = getattr(one.args[0], "reason", None) if one.args else None
        if isinstance(reason, NewConnectionError | ConnectTimeoutError | ProxyError):
            return True
    return False


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
