"""Where the functions' bundle and the templates wait for CloudFormation: a bucket of the account."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cryptowatch.deploy.account import AccountError, Clients, error_code, one_line
from cryptowatch.deploy.files import fingerprint

#: The templates of this checkout.
TEMPLATES = Path(__file__).resolve().parents[2] / "cloudformation"
ROOT = "crypto-watch.yaml"


@dataclass(frozen=True)
class Uploaded:
    """Where they are.

    Args:
        parameters: what tells the root template so.
        template_url: of the root template.
    """

    parameters: dict[str, str]
    template_url: str


def code_bucket(account: str, region: str) -> str:
    """The bucket's name unless the user names one."""
    return f"crypto-watch-code-{account}-{region}"


def bucket_is_there(clients: Clients, bucket: str, account: str) -> bool:
    """Whether there is such a bucket, and it is this account's.

    Raises:
        AccountError: it is somebody else's, or may not be looked at.
    """
    try:
        clients.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error_code(error) in ("404", "NoSuchBucket"):
            return False
        raise AccountError(
            f"the bucket {bucket} cannot be used ({one_line(error)}): name one of yours with --set CodeBucket=NAME"
        ) from error
    return True


def make_bucket(clients: Clients, bucket: str) -> None:
    """Make a bucket that nobody else can read, by TLS alone; S3 encrypts what is in it."""
    s3 = clients.client("s3")
    place: dict[str, Any] = {}
    if clients.region != "us-east-1":
        place = {"CreateBucketConfiguration": {"LocationConstraint": clients.region}}
    s3.create_bucket(Bucket=bucket, **place)
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    partition = s3.meta.partition
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
        "Resource": [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls_only]}))


def upload(clients: Clients, bucket: str, code_key: str, code: bytes, templates: Path = TEMPLATES) -> Uploaded:
    """Put the bundle and the templates there, under keys that name their content: an older stack keeps its own."""
    texts = {path.name: path.read_bytes() for path in sorted(templates.glob("*.yaml"))}
    prefix = f"cloudformation/{fingerprint(*texts.values())}"
    _put(clients, bucket, code_key, code)
    for name, text in texts.items():
        _put(clients, bucket, f"{prefix}/{name}", text)
    domain = "amazonaws.com.cn" if clients.region.startswith("cn-") else "amazonaws.com"
    return Uploaded(
        {"CodeBucket": bucket, "CodeKey": code_key, "TemplatePrefix": prefix},
        f"https://s3.{clients.region}.{domain}/{bucket}/{prefix}/{ROOT}",
    )


def _put(clients: Clients, bucket: str, key: str, content: bytes) -> None:
    s3 = clients.client("s3")
    try:
        if s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(content):
            return
    except ClientError as error:
        if error_code(error) not in ("404", "NoSuchKey"):
            raise
    s3.put_object(Bucket=bucket, Key=key, Body=content)
