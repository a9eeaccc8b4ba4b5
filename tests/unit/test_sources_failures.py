"""How long a source asks to be left alone, and which error says what must be done."""

import re

import pytest
import requests

from cryptowatch.sources.ccxt_parts import errors as ccxt_errors
from cryptowatch.sources.errors import (
    BadAnswerError,
    MarketRequestFailedError,
    SourceUnavailableError,
    UnknownSymbolError,
)
from cryptowatch.sources.failures import retry_after, source_error

ccxt = ccxt_errors()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"Retry-After": "Mon, 02 Mar 2026 12:00:30 GMT", "Date": "Mon, 02 Mar 2026 12:00:00 GMT"}, 30.0),
        ({"Retry-After": "Mon, 02 Mar 2026 11:00:00 GMT", "Date": "Mon, 02 Mar 2026 12:00:00 GMT"}, 0.0),
        ({"Retry-After": "Mon, 02 Mar 2026 12:00:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "99999999"}, 3 * 86400.0),
    ],
)
def test_the_wait_asked_for_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def with_status(error: Exception, status: int) -> Exception:
    """An error of ccxt's as it raises it over an HTTP status."""
    response = requests.Response()
    response.status_code = status
    error.__context__ = requests.HTTPError(response=response)
    return error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            ccxt.RateLimitExceeded("x"),
            SourceUnavailableError,
            "kraken refuses: too many requests, .* wait 9 s",
        ),
        (with_status(ccxt.ExchangeError("x"), 418), SourceUnavailableError, "kraken refuses: too many requests.*"),
        (with_status(ccxt.ExchangeNotAvailable("x"), 451), SourceUnavailableError, "kraken refuses us: HTTP 451"),
        (with_status(ccxt.ExchangeNotAvailable("x"), 503), MarketRequestFailedError, "HTTP 503"),
        (with_status(ccxt.RequestTimeout("x"), 504), MarketRequestFailedError, "HTTP 504"),
        (ccxt.RequestTimeout("x"), MarketRequestFailedError, "no answer in 10 s"),
        (ccxt.OnMaintenance("kraken rests"), MarketRequestFailedError, "kraken rests"),
        (ccxt.BadSymbol("x"), UnknownSymbolError, "kraken does not list BTC/USD"),
        (ccxt.NullResponse("none"), BadAnswerError, "none"),
        (ccxt.BadRequest("EGeneral:Invalid\narguments"), BadAnswerError, "EGeneral:Invalid arguments"),
        (KeyError("base"), BadAnswerError, "the answer cannot be read: 'base'"),
    ],
)
def test_an_error_of_ccxt_says_what_must_be_done(error: Exception, kind: type[Exception], message: str) -> None:
    ours = source_error(error, "kraken", "BTC/USD", {"Retry-After": "9"}, 10)
    assert type(ours) is kind
    assert re.fullmatch(message, str(ours))


def test_only_a_refusal_for_asking_too_much_says_so() -> None:
    refused = source_error(ccxt.DDoSProtection("x"), "binance", "time", {"Retry-After": "60"}, 10)
    forbidden = source_error(with_status(ccxt.PermissionDenied("x"), 403), "binance", "time", {"Retry-After": "60"}, 10)
    assert isinstance(refused, SourceUnavailableError)
    assert (refused.asked_to_wait, refused.retry_after) == (True, 60.0)
    assert isinstance(forbidden, SourceUnavailableError)
    assert (forbidden.asked_to_wait, forbidden.retry_after) == (False, None)
