"""One AWS account and region, as the user's credentials open it."""

from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

#: What the SDK raises: it could not ask, or AWS refused.
AWS_ERRORS = (BotoCoreError, ClientError)


#: A deploy looks at a dozen stacks every two seconds, and AWS may find that too often: it then asks more slowly.
_CONFIG = Config(retries={"mode": "adaptive", "total_max_attempts": 12})


class AccountError(RuntimeError):
    """AWS cannot be asked, or refused; one line."""


class Clients(Protocol):
    """Where clients for AWS's services come from."""

    @property
    def region(self) -> str:
        """The region they speak to."""

    def client(self, service: str) -> Any:
        """The client for a service, like `sqs`."""


class Account:
    """Clients by a profile's credentials, each made once.

    Args:
        profile, region: as AWS finds them when left out.

    Raises:
        AccountError: there is no such profile, or no region is named anywhere.
    """

    def __init__(self, profile: str | None, region: str | None) -> None:
        try:
            self._session = boto3.Session(profile_name=profile, region_name=region)
        except BotoCoreError as error:
            raise AccountError(one_line(error)) from error
        if self._session.region_name is None:
            raise AccountError("no AWS region is chosen: name it with --region, like --region eu-central-1")
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        return str(self._session.region_name)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=_CONFIG)  # type: ignore[call-overload]
        return self._clients[service]


def one_line(error: object) -> str:
    """An error's text without line breaks."""
    return " ".join(str(error).split())[:400]


def error_code(error: ClientError) -> str:
    """AWS's own word for what went wrong, like `AccessDenied`."""
    return str(error.response.get("Error", {}).get("Code", ""))
