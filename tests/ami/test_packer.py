"""The Packer template and what makes an image with it."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
AMI = REPOSITORY / "ami"
TEMPLATE = AMI / "crypto-watch-worker.pkr.hcl"


def plain(node: Any) -> Any:
    """What the parser gives, without its quotes and marks."""
    if isinstance(node, dict):
        return {plain(key): plain(value) for key, value in node.items() if not key.startswith("__")}
    if isinstance(node, list):
        return [plain(one) for one in node]
    return node.strip('"') if isinstance(node, str) else node


PARSED = plain(hcl2.loads(TEMPLATE.read_text()))
SOURCE = PARSED["source"][0]["amazon-ebs"]["worker"]
BUILD = PARSED["build"][0]


def provisioners(kind: str) -> list[dict[str, Any]]:
    return [one[kind] for one in BUILD["provisioner"] if kind in one]


def test_the_build_gets_all_that_the_scripts_install() -> None:
    (files, wheel) = provisioners("file")
    folder = files["destination"].rstrip("/")
    for source in files["sources"]:
        assert (AMI / source.removeprefix("${path.root}/")).exists(), source
    names = {Path(source).name for source in files["sources"]}
    scripts = "".join(path.read_text() for path in (AMI / "scripts").rglob("*.sh"))
    assert names == set(re.findall(r'"\$FROM"?/(units|conf|scripts|requirements\.txt)', scripts))
    assert wheel["destination"] == f"{folder}/${{basename(var.wheel)}}"  # pip reads the version from the name
    (made, provision) = [one["inline"] for one in provisioners("shell")]
    assert made == [f"mkdir {folder}"]
    assert provision == [f"sudo bash {folder}/scripts/provision.sh {folder}"]


def test_the_base_is_debian_and_fits_the_architecture() -> None:
    variables = {name: block for one in PARSED["variable"] for name, block in one.items()}
    assert set(variables) == {"region", "wheel", "architecture"}
    assert 'contains(["amd64", "arm64"], var.architecture)' in variables["architecture"]["validation"][0]["condition"]
    (base,) = SOURCE["source_ami_filter"]
    assert base["owners"] == ["136693071363"]
    assert base["filters"]["name"] == "debian-13-${var.architecture}-*"
    assert SOURCE["instance_type"] == '${var.architecture == "arm64" ? "c7g.large" : "c7i.large"}'


def test_the_builder_and_its_image_are_closed() -> None:
    assert SOURCE["launch_block_device_mappings"][0]["encrypted"] is True
    assert SOURCE["metadata_options"][0]["http_tokens"] == "required"
    assert SOURCE["imds_support"] == "v2.0"
    assert SOURCE["ssh_clear_authorized_keys"] is True
    assert SOURCE["temporary_security_group_source_public_ip"] is True


def without_what_packer_1_6_lacks(text: str) -> str:
    for block in ("packer", "  metadata_options"):
        indent = re.match(" *", block).group()  # type: ignore[union-attr]
        text = re.sub(rf"^{block} {{\n(.*\n)*?{indent}}}\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^  (imds_support|temporary_security_group_source_public_ip) .*\n", "", text, flags=re.MULTILINE)
    return text.replace('"gp3"', '"gp2"')


@pytest.mark.parametrize(("architecture", "said"), [("amd64", ""), ("arm64", ""), ("riscv", "amd64 or arm64")])
def test_packer_accepts_the_template(tmp_path: Path, architecture: str, said: str) -> None:
    if "v1.6" not in (subprocess.getoutput("packer version") if shutil.which("packer") else ""):
        pytest.skip("Debian's Packer 1.6, which checks without a network, is not on this machine")
    for name in ("units", "conf", "scripts"):
        shutil.copytree(AMI / name, tmp_path / "ami" / name)
    shutil.copy(REPOSITORY / "requirements.txt", tmp_path)
    wheel = tmp_path / "cryptowatch-1-py3-none-any.whl"
    wheel.touch()
    template = tmp_path / "ami" / TEMPLATE.name
    template.write_text(without_what_packer_1_6_lacks(TEMPLATE.read_text()))
    variables = ["-var=region=eu-central-1", f"-var=architecture={architecture}", f"-var=wheel={wheel}"]
    done = subprocess.run(
        ["packer", "validate", *variables, str(template)], capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == (said == ""), done.stdout + done.stderr
    assert said in done.stdout + done.stderr


# --- `make image`, with stand-ins for the commands it calls ---

WHEEL = "cryptowatch-9-py3-none-any.whl"
MANIFEST = """{
  "builds": [
    {"packer_run_uuid": "old", "artifact_id": "us-east-1:ami-old"},
    {"packer_run_uuid": "new", "artifact_id": "eu-central-1:ami-new"}
  ],
  "last_run_uuid": "new"
}"""


def make_image(folder: Path, *, without: str = "", region: str = "eu-central-1") -> tuple[int, str, list[str]]:
    """Run it in a copy; returns its exit code, what it said, and the commands that it called."""
    calls = folder / "calls"
    commands = {
        "packer": f'echo "packer $*" >>{calls}; [ "$1" = init ] || echo \'{MANIFEST}\' >{folder}/ami/manifest.json',
        "aws": f'echo "aws $*" >>{calls}',
        "python": f'echo "python $*" >>{calls}; mkdir -p {folder}/dist; touch {folder}/dist/{WHEEL}',
        "python3": f'exec {sys.executable} "$@"',
    }
    shutil.copytree(AMI / "scripts", folder / "ami" / "scripts")
    (folder / "bin").mkdir()
    for tool in ("bash", "cat", "dirname", "ls", "rm", "mkdir", "touch"):
        (folder / "bin" / tool).symlink_to(shutil.which(tool) or "")
    for name, body in commands.items():
        if name != without:
            path = folder / "bin" / name
            path.write_text(f"#!/bin/bash\n{body}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
    done = subprocess.run(
        ["bash", str(folder / "ami/scripts/make-image.sh"), "python"],
        env={"PATH": str(folder / "bin"), "REGION": region, "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines() if calls.exists() else []


def test_make_image_builds_the_wheel_and_the_image_and_publishes_its_id(tmp_path: Path) -> None:
    code, said, calls = make_image(tmp_path)
    assert code == 0, said
    told = [re.sub(r"\S*/", "", call) for call in calls]
    assert told[0] == "aws sts get-caller-identity"
    assert told[1].startswith("python -m pip wheel")
    assert told[2] == "packer init ami"
    assert told[3] == "packer build -var region=eu-central-1 -var architecture=amd64 -var " + (f"{WHEEL} ami")
    assert calls[4] == (
        "aws ssm put-parameter --region eu-central-1 --name /crypto-watch/worker-image --value ami-new "
        "--type String --data-type aws:ec2:image --overwrite"
    )
    assert len(calls) == 5


@pytest.mark.parametrize(
    ("without", "region", "missing"),
    [
        ("packer", "eu-central-1", "Packer 1.7 or newer"),
        ("aws", "eu-central-1", "the aws command"),
        ("", "", "a region"),
    ],
)
def test_make_image_says_what_it_would_do_and_what_is_missing(
    tmp_path: Path, without: str, region: str, missing: str
) -> None:
    code, said, calls = make_image(tmp_path, without=without, region=region)
    assert code == 1
    lines = said.splitlines()
    assert [line[:4] for line in lines[1:4]] == ["  1.", "  2.", "  3."]
    assert len([line for line in lines if line.startswith("missing: ")]) == 1
    assert f"missing: {missing}" in said
    assert calls in ([], ["aws sts get-caller-identity"])  # nothing was begun
