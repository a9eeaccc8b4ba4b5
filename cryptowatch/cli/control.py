"""Asking the deployed control function: of a stack in the cloud by its name, else of the running local stack."""

import json
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from cryptowatch.local.deploy import ACCOUNT
from cryptowatch.local.state import DATA_FOLDER, LocalState, read_state

#: Seconds the control function may take: a migration can be long.
PATIENCE_S = 310
#: Seconds a connection to it may take.
CONNECT_S = 5
#: Bytes that Lambda takes in one synchronous invocation.
LONGEST_REQUEST = 6 * 1024 * 1024


class ControlError(RuntimeError):
    """The control function could not be asked, or refused; one line."""


def running_stack(data_dir: Path = DATA_FOLDER) -> LocalState:
    """The local stack that runs here.

    Raises:
        ControlError: none does.
    """
    state = read_state(data_dir)
    if state is None:
        raise ControlError("no local stack is running: start one with `make run`, or name a stack with --stack")
    return state


def ask(request: dict[str, Any], stack: str | None, region: str | None, profile: str | None = None) -> dict[str, Any]:
    """Invoke the control function and give its result.

    Args:
        stack: the CloudFormation stack's name; None means the running local stack.
        region, profile: where the stack is and whose credentials are used; as AWS finds them when left out.

    Raises:
        ControlError: it cannot be reached, failed, or refused the request.
    """
    if stack is None and (region or profile):
        raise ControlError("--region and --profile say where a stack in the cloud is: name it with --stack")
    whose = f"the control function of {stack or 'the local stack'}"
    body = json.dumps(request).encode()
    if len(body) > LONGEST_REQUEST:
        raise ControlError(f"the watch list is too long to send ({len(body):,} bytes): name fewer markets")
    try:
        client, function = _function(stack, region, profile)
        answer = client.invoke(FunctionName=function, Payload=body)
        payload = answer["Payload"].read()
    except ReadTimeoutError:
        raise ControlError(f"{whose} did not answer within {PATIENCE_S} s") from None
    except ClientError as error:
        if stack and error.response["Error"]["Code"] == "ResourceNotFoundException":
            where = client.meta.region_name
            raise ControlError(f"there is no stack {stack!r} in {where}, or it has no function {function}") from None
        raise ControlError(f"{whose} cannot be asked: {_one_line(error)}") from error
    except BotoCoreError as error:
        raise ControlError(f"{whose} cannot be asked: {_one_line(error)}") from error
    return _result(payload, whose, failed="FunctionError" in answer)


def _result(payload: bytes, whose: str, *, failed: bool) -> dict[str, Any]:
    try:
        told = json.loads(payload)
    except ValueError:
        told = None
    if failed:
        message = told.get("errorMessage", told) if isinstance(told, dict) else payload.decode(errors="replace")
        raise ControlError(f"{whose} failed: {_one_line(message)}")
    match told:
        case {"ok": True, "result": dict(result)}:
            return result
        case {"ok": False, "error": error}:
            raise ControlError(_one_line(error))
    raise ControlError(f"{whose} gave an answer that cannot be read: {_one_line(payload[:80])}")


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:300]


def _function(stack: str | None, region: str | None, profile: str | None) -> tuple[Any, str]:
    # Not repeated by the client: applying twice at once helps nobody. It may be silent for minutes, and without
    # keep-alive the gateways between forget the connection.
    config = Config(
        connect_timeout=CONNECT_S, read_timeout=PATIENCE_S, retries={"total_max_attempts": 1}, tcp_keepalive=True
    )
    if stack is not None:
        session = boto3.Session(profile_name=profile, region_name=region)
        return session.client("lambda", config=config), f"{stack}-control"
    state = running_stack()
    client = boto3.client(
        "lambda",
        endpoint_url=state.endpoint_url,
        region_name=state.region,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106  the emulator takes any
        config=config,
    )
    return client, state.control_function
