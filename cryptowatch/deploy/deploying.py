"""A deploy, step by step: what is known before, what is uploaded, how the stack changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptowatch.deploy.account import Clients
from cryptowatch.deploy.bundle import Bundle, build_bundle
from cryptowatch.deploy.certificates import certificates
from cryptowatch.deploy.parameters import Template, read_template
from cryptowatch.deploy.preflight import Finding, account_number, confirmations, preflight
from cryptowatch.deploy.stack import ONLY_REMOVED, ChangeSet, Stack, StackError
from cryptowatch.deploy.upload import ROOT, TEMPLATES, Uploaded, bucket_is_there, code_bucket, make_bucket, upload

CHECKOUT = TEMPLATES.parent


@dataclass(frozen=True)
class Deploy:
    """What is to be deployed, and where.

    Args:
        settings: the root template's parameters that the user sets, already checked.
    """

    clients: Clients
    stack: Stack
    template: Template
    settings: Mapping[str, str]

    @property
    def is_new(self) -> bool:
        """Whether the stack is still to be made."""
        found = self.stack.describe()
        return found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS"

    def parameters(self) -> dict[str, str]:
        """All parameters as they will be: what is set now, else as the stack has them, else the template's defaults."""
        there = {} if self.is_new else self.stack.parameters()
        return self.template.whole(there, self.settings)

    def bucket(self, account: str) -> str:
        """The code bucket: the user's, else the stack's, else one of a name of our own."""
        return self.parameters().get("CodeBucket") or code_bucket(account, self.clients.region)

    def check(self) -> Iterator[Finding]:
        """What can be known before anything is made.

        Raises:
            AccountError: AWS does not take the credentials.
        """
        account = account_number(self.clients)
        parameters = {**self.parameters(), "CodeBucket": self.bucket(account)}
        yield from preflight(self.clients, account, parameters, new=self.is_new)
        if not self.is_new:
            topics = [physical for _, kind, physical in self.stack.resources() if kind == "AWS::SNS::Topic"]
            yield from confirmations(self.clients, topics)

    def build(self, certificates_file: Path | None) -> Bundle:
        """The functions' bundle.

        Raises:
            CertificatesError, WheelsError, BundleTooLargeError: what it needs cannot be had.
        """
        trusted = certificates(self.clients.region, certificates_file)
        return build_bundle(CHECKOUT, trusted, self.parameters()["Architecture"])

    def upload(self, bundle: Bundle) -> Uploaded:
        """Put the bundle and the templates into the code bucket, made when it is not there."""
        account = account_number(self.clients)
        bucket = self.bucket(account)
        if not bucket_is_there(self.clients, bucket, account):
            make_bucket(self.clients, bucket)
        return upload(self.clients, bucket, bundle.key, bundle.data)

    def prepare(self, uploaded: Uploaded) -> ChangeSet | None:
        """The change set; None when nothing would change.

        Raises:
            StackError: CloudFormation refuses it.
        """
        settings = {**self.settings, **uploaded.parameters}
        return self.stack.prepare(settings, uploaded.template_url, self.template.parameters)

    def renew_control(self, uploaded: Uploaded) -> None:
        """Give control the new code ahead of the other functions: it migrates before they need the new schema."""
        function, awaited = f"{self.stack.name}-control", self.clients.client("lambda")
        awaited.update_function_code(
            FunctionName=function,
            S3Bucket=uploaded.parameters["CodeBucket"],
            S3Key=uploaded.parameters["CodeKey"],
            Architectures=[self.parameters()["Architecture"]],
        )
        awaited.get_waiter("function_updated_v2").wait(FunctionName=function)


def read_settings(texts: list[str]) -> tuple[Template, dict[str, str]]:
    """The root template of this checkout, and what the user sets of it.

    Raises:
        ParameterError: it has no such parameter, or not of that form.
        StackError: there is no template here.
    """
    if not (TEMPLATES / ROOT).is_file():
        raise StackError(f"no templates in {TEMPLATES}: deploy from a checkout of the repository")
    template = read_template(TEMPLATES / ROOT)
    return template, template.checked(texts)


def scale(stack: Stack, least: int | None, most: int | None) -> ChangeSet | None:
    """The change set that sets how many workers there are at least and at most; None when nothing would change.

    Raises:
        StackError: there is no such stack, or the numbers do not go together.
    """
    there = stack.parameters()
    wanted = {"LeastWorkers": least, "MostWorkers": most}
    new = {name: str(number) for name, number in wanted.items() if number is not None}
    whole = {**there, **new}
    if int(whole["LeastWorkers"]) > int(whole["MostWorkers"]):
        raise StackError(f"at least {whole['LeastWorkers']} workers and at most {whole['MostWorkers']}: that cannot be")
    return stack.prepare(new)


def kept(stack: Stack) -> list[str]:
    """What stays when a stack is removed, and what does not, in words.

    Raises:
        StackError: it refuses to be removed; what to do.
    """
    found, parameters = stack.there(), stack.parameters()
    if found.get("EnableTerminationProtection"):
        raise StackError(
            f"the stack {stack.name} is protected against removal: "
            "`aws cloudformation update-termination-protection --no-enable-termination-protection "
            f"--stack-name {stack.name}`"
        )
    resources = list(stack.resources())
    of_kind = "AWS::RDS::DBInstance"
    databases = [physical for place, kind, physical in resources if kind == of_kind and "Replica" not in place]
    protected = databases if parameters.get("DeletionProtection") == "true" else []
    can_change = found["StackStatus"] not in ONLY_REMOVED
    if protected and can_change:
        raise StackError(
            "the database refuses to be deleted: if you mean it, first "
            f"`cryptowatch deploy --stack {stack.name} --set DeletionProtection=false`"
        )
    lines = [
        f"the database {name} refuses to be deleted as long as it is protected: if you mean it, first "
        f"`aws rds modify-db-instance --db-instance-identifier {name} --no-deletion-protection --apply-immediately`"
        for name in protected
    ]
    lines += [f"kept: a last snapshot of the database {name}, which costs by the GiB" for name in databases]
    lines += [
        f"kept: the database's own logs /aws/rds/instance/{name}/..., which RDS keeps for good" for name in databases
    ]
    lines += [
        f"kept: the secret {physical}" for place, kind, physical in resources if kind == "AWS::SecretsManager::Secret"
    ]
    lines += [f"kept: the code bucket {parameters['CodeBucket']} and what is in it"]
    lines += [f"kept: the workers' image and the SSM parameter {parameters['WorkerImageParameter']}"]
    if parameters.get("ExistingDatabaseSecretArn"):
        lines.append("kept: the existing database, with all candles, watches and alerts")
    gone = sum(kind != "AWS::CloudFormation::Stack" for _, kind, _ in resources)
    return [*lines, f"removed: {gone} resources, among them all queues with their messages, subscriptions and logs"]
