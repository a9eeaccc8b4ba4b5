"""`cryptowatch deploy` and what goes with it, against the emulator: the commands as a user gives them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cryptowatch.cli import deployed
from cryptowatch.cli.main import app
from cryptowatch.cli.options import ask
from cryptowatch.deploy.bundle import Bundle
from cryptowatch.deploy.deploying import Deploy
from cryptowatch.deploy.files import own_code, zipped
from cryptowatch.local.deploy import Emulator
from cryptowatch.local.emulator import aws_environment
from tests.integration.emulated import emulated

IMAGE = "/crypto-watch/worker-image"
MIGRATION = "cryptowatch/store/migrations/9999_next.sql"
WATCHES = """
recipients: {me: me@example.com}
watches:
  - {name: dip, markets: [kraken:BTC/USD], interval: 1h, when: close < sma(20), notify: [me]}
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulated(tmp_path_factory.mktemp("emulator")) as made:
        yield made


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The emulator as the user's cloud, and a folder with a watch list."""
    for name, value in aws_environment(emulator.endpoint_url).items():
        monkeypatch.setenv(name, value)
    # The emulator runs functions with this interpreter, which has what they need of others.
    monkeypatch.setattr(Deploy, "build", lambda *_: Bundle(zipped(own_code()), 0, compiled=True))
    monkeypatch.setattr("cryptowatch.cli.deploy_page.POLL_S", 0.05)
    monkeypatch.chdir(tmp_path)
    # No exchange is asked: what answers here is nobody.
    monkeypatch.setenv("CRYPTOWATCH_EXCHANGE_URL", "http://127.0.0.1:9")
    (tmp_path / "watches.yaml").write_text(WATCHES)


@pytest.fixture
def settings(emulator: Emulator, database: str) -> list[str]:
    """What makes the stack use the emulator's network and a real database."""
    ec2 = emulator.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets(Filters=of_vpc)["Subnets"]][:2]
    group = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"][0]["GroupId"]
    name, folder = database.split("@/")[1].split("?host=")
    secret = {"host": folder, "port": 5432, "username": "postgres", "password": "", "dbname": name}
    made = emulator.client("secretsmanager").create_secret(Name=f"database-{name}", SecretString=json.dumps(secret))
    said = {
        "ExistingVpcId": vpc,
        "ExistingSubnetIds": ",".join(subnets),
        "ExistingClientSecurityGroupId": group,
        "ExistingDatabaseSecretArn": made["ARN"],
    }
    return [text for key, value in said.items() for text in ("--set", f"{key}={value}")]


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


def worker_group(emulator: Emulator) -> tuple[int, int]:
    """How many workers there are at least and at most."""
    (group,) = emulator.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return group["MinSize"], group["MaxSize"]


def codes(emulator: Emulator) -> dict[str, str]:
    """The fingerprint of each function's code."""
    functions = emulator.client("lambda").list_functions()["Functions"]
    return {one["FunctionName"]: one["CodeSha256"] for one in functions}


@pytest.mark.usefixtures("cloud")
def test_a_setting_that_is_not_the_templates_is_told_before_anything_is_asked() -> None:
    result = run("deploy", "--set", "MostWorker=3")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "did you mean 'MostWorkers'" in result.stderr


@pytest.mark.usefixtures("cloud")
def test_nothing_is_made_while_the_preflight_fails(emulator: Emulator) -> None:
    result = run("deploy", "--stack", "none", "--yes")
    assert result.exit_code == 1
    assert f"failed   no SSM parameter {IMAGE} names the workers' image" in result.stdout
    assert "see ami/README.md" in result.stdout
    assert "nothing was made" in result.stderr
    assert emulator.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.usefixtures("cloud")
def test_a_stack_is_deployed_looked_at_scaled_updated_and_removed(
    emulator: Emulator, settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = emulator.client("ec2").describe_images()["Images"][0]["ImageId"]
    emulator.client("ssm").put_parameter(Name=IMAGE, Value=image, Type="String")
    where = ["--stack", "one"]

    refused = run("deploy", *where, *settings, typed="n\n")
    assert (refused.exit_code, "nothing was changed" in refused.stderr) == (1, True)
    assert run("doctor", *where).stderr == "there is no stack 'one' in us-east-1\n"

    first = run("deploy", "watches.yaml", *where, *settings, typed="y\n")
    assert first.exit_code == 0, first.output
    for told in ("add             Queues (CloudFormation Stack)", "create_complete              Queues/AnalysisQueue\n",
                 "the stack one is deployed", "applied 0001_first_schema.sql", "added     recipient me"):  # fmt: skip
        assert told in first.stdout
    assert "FAILED" not in first.stdout

    again = run("deploy", "watches.yaml", *where, *settings, "--yes")
    assert again.exit_code == 0, again.output
    assert "the stack one is as it should be: nothing to change" in again.stdout
    assert "1 unchanged" in again.stdout
    assert "ok       1 addresses are confirmed" in again.stdout  # the emulator confirms every address at once
    assert "addresses" not in first.stdout

    found = run("doctor", *where, "--json")
    levels = {one["text"].split(":")[0]: one["level"] for one in json.loads(found.stdout)}
    assert found.exit_code == 1
    # The emulator starts no instances.
    assert [text for text, level in levels.items() if level == "failed"] == [
        "0 workers in service, 1 wanted, 1 at least"
    ]
    assert levels["no dead letters of analysis"] == levels["1 recipients are confirmed"] == "ok"

    logs = run("logs", "control", *where, "--json", "--since", "1h")
    assert logs.exit_code == 0, logs.output
    assert "nothing called 'nobody' logs in one: one of control, dispatch" in run("logs", "nobody", *where).stderr

    assert "at least 9 workers and at most 4: that cannot be" in run("scale", *where, "--least", "9").stderr
    scaled = run("scale", *where, "--least", "2", "--most", "6", typed="y\n")
    assert scaled.exit_code == 0, scaled.output
    assert "change          Workers (CloudFormation Stack): Parameters" in scaled.stdout
    assert "update_complete              Workers/WorkerGroup\n" in scaled.stdout
    assert worker_group(emulator) == (2, 6)
    assert "nothing to change" in run("scale", *where, "--least", "2").stdout

    changed = Bundle(zipped({**own_code(), MIGRATION: b"CREATE TABLE next (id integer)"}), 0, compiled=True)
    monkeypatch.setattr(Deploy, "build", lambda *_: changed)
    old, seen = set(codes(emulator).values()), []
    monkeypatch.setattr(deployed, "ask", lambda *asked: (seen.append(codes(emulator)), ask(*asked))[1])
    updated = run("deploy", *where, "--yes")
    assert updated.exit_code == 0, updated.output
    migrated = updated.stdout.index("applied 9999_next.sql")
    assert migrated < updated.stdout.index("update_in_progress") < updated.stdout.index("the stack one is deployed")
    first, last = seen  # it migrates before the others need it, and asks again when all is done
    assert {name for name, code in first.items() if code not in old} == {"one-control"}
    assert set(last) == set(first)
    assert set(last.values()) == {first["one-control"]}
    assert worker_group(emulator) == (2, 6)

    assert "that is not the stack's name" in run("destroy", *where, typed="yes\n").stderr
    gone = run("destroy", *where, typed="one\n")
    assert gone.exit_code == 0, gone.output
    assert "kept: the existing database, with all candles, watches and alerts" in gone.stdout
    assert "kept: the code bucket crypto-watch-code-000000000000-us-east-1" in gone.stdout
    assert run("doctor", *where).stderr == "there is no stack 'one' in us-east-1\n"
