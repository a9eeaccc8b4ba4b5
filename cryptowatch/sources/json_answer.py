"""One request to a source that is no exchange, its answer read as JSON."""

from typing import Any

import requests

from cryptowatch.sources.errors import SourceUnavailableError
from cryptowatch.sources.failures import retry_after

#: Seconds a request may take.
TIMEOUT_S = 10.0
#: What sources answer to a client that asks too much.
_TOO_MUCH = (418, 429)


def ask_json(name: str, url: str) -> Any:
    """The answer.

    Args:
        name: the source's, for messages.

    Raises:
        SourceUnavailableError: there is none, or it is not JSON.
    """
    try:
        answer = requests.get(url, timeout=TIMEOUT_S, headers={"Accept": "application/json"})
    except requests.RequestException as error:
        raise SourceUnavailableError(f"{name} does not answer: {type(error).__name__}") from error
    if answer.status_code in _TOO_MUCH:
        wait = retry_after(answer.headers)
        raise SourceUnavailableError(f"{name} refuses: too many requests", wait, asked_to_wait=True)
    if answer.status_code != 200:
        raise SourceUnavailableError(f"{name} answers HTTP {answer.status_code}")
    try:
        return answer.json()
    except ValueError as error:
        raise SourceUnavailableError(f"{name}: the answer is not JSON: {' '.join(answer.text.split())[:60]}") from error
