"""What an instance knows of itself: EC2's instance metadata service, version 2."""

import json
import time
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.request import Request, urlopen

#: Seconds a request may take; the service is on the instance's own host.
TIMEOUT_S = 2.0
#: Seconds a token is good for; it is fetched anew when three quarters of them are over.
TOKEN_S = 21_600


class Metadata:
    """Reads the service at `url`. Every method raises OSError when it does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._token = ""
        self._token_until = 0.0

    def instance_id(self) -> str:
        return self._get("instance-id") or ""

    def is_to_terminate(self) -> bool:
        """Whether the Auto Scaling group is taking this instance out of service for good."""
        return self._get("autoscaling/target-lifecycle-state") == "Terminated"

    def spot_end(self) -> datetime | None:
        """When EC2 takes this Spot instance back; None while it does not say so."""
        notice = self._get("spot/instance-action")
        return (
            datetime.strptime(json.loads(notice)["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) if notice else None
        )

    def _get(self, path: str) -> str | None:
        """The value at `path`, None where there is none."""
        if time.monotonic() > self._token_until:
            headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_S)}
            self._token = _ask(Request(f"{self._url}/latest/api/token", method="PUT", headers=headers))  # noqa: S310
            self._token_until = time.monotonic() + 0.75 * TOKEN_S
        headers = {"X-aws-ec2-metadata-token": self._token}
        try:
            return _ask(Request(f"{self._url}/latest/meta-data/{path}", headers=headers))  # noqa: S310
        except HTTPError as error:
            if error.code == 404:
                return None
            self._token_until = 0.0
            raise


def _ask(request: Request) -> str:
    with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  the address is a setting, not a user's
        return str(answer.read().decode())
