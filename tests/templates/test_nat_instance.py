"""The NAT instance: what it may do, and its start script run for real with stand-ins for the commands it calls."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.templates.reading import TEMPLATES, statements

MADE = TEMPLATES["network"]["Resources"]
NAT_RIGHTS = [one for role, one in statements() if role == "NatRole"]
PER_BOOT = "/var/lib/cloud/scripts/per-boot/route"


def test_it_may_only_point_the_private_route_at_itself() -> None:
    granted = {tuple(one["Action"]) if isinstance(one["Action"], list) else one["Action"]: one for one in NAT_RIGHTS}
    assert set(granted) == {("ec2:CreateRoute", "ec2:ReplaceRoute"), "ec2:ModifyInstanceAttribute"}
    route = granted["ec2:CreateRoute", "ec2:ReplaceRoute"]["Resource"]["Fn::Sub"]
    assert route.endswith(":route-table/${InstanceRouteTable}")
    own = granted["ec2:ModifyInstanceAttribute"]["Condition"]
    assert own == {"StringEquals": {"aws:ResourceTag/NatOf": {"Ref": "Vpc"}}}
    tags = {one["Key"]: one for one in MADE["NatGroup"]["Properties"]["Tags"]}
    assert (tags["NatOf"]["Value"], tags["NatOf"]["PropagateAtLaunch"]) == ({"Ref": "Vpc"}, True)


def test_a_group_of_one_replaces_it() -> None:
    group = MADE["NatGroup"]["Properties"]
    assert (group["MinSize"], group["MaxSize"]) == (1, 1)
    launch = MADE["NatLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    assert launch["InstanceInitiatedShutdownBehavior"] == "terminate"


def test_it_has_the_memory_that_its_start_script_takes() -> None:
    kind = TEMPLATES["network"]["Parameters"]["NatInstanceType"]
    assert re.fullmatch(kind["AllowedPattern"], kind["Default"])
    assert not re.fullmatch(kind["AllowedPattern"], "t4g.nano")  # 512 MiB: dnf is killed, and every one goes away again


def test_the_network_goes_out_one_way_or_the_other() -> None:
    conditions = {name: one.get("Condition") for name, one in MADE.items()}
    assert {name for name, condition in conditions.items() if condition == "ByGateway"} == {
        "NatAddress",
        "NatGateway",
        "GatewayRouteTable",
        "GatewayRoute",
    }
    assert {name for name, condition in conditions.items() if condition == "ByInstance"} == {
        "InstanceRouteTable",
        "NatRole",
        "NatProfile",
        "NatSecurityGroup",
        "NatLaunchTemplate",
        "NatGroup",
    }


def test_a_stack_may_change_its_way_out_since_neither_writes_the_others_route() -> None:
    assert MADE["GatewayRoute"]["Properties"]["RouteTableId"] == {"Ref": "GatewayRouteTable"}
    used = {"Fn::If": ["ByGateway", {"Ref": "GatewayRouteTable"}, {"Ref": "InstanceRouteTable"}]}
    for name in ("PrivateSubnetARoutes", "PrivateSubnetBRoutes"):
        assert MADE[name]["Properties"]["RouteTableId"] == used
    assert MADE["S3Endpoint"]["Properties"]["RouteTableIds"] == [used]


class Machine:
    """Runs the start script; every command it calls writes a line, and fails where the test says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        data: dict[str, Any] = MADE["NatLaunchTemplate"]["Properties"]["LaunchTemplateData"]
        text = data["UserData"]["Fn::Base64"]["Fn::Sub"].replace("${!", "${").replace(PER_BOOT, str(folder / "route"))
        self.script = folder / "part-001"
        self.script.write_text(text.replace("${AWS::Region}", "eu-central-1").replace("${InstanceRouteTable}", "rtb-1"))

    def run(self, script: Path, failing: str = "-") -> list[str]:
        self.log.write_text("")
        for name in ("aws", "curl", "dnf", "sysctl", "iptables", "ip", "shutdown"):
            says = {"curl": "i-1", "ip": "default via 10.42.0.1 dev ens5"}.get(name, "")
            stand_in = self.folder / name
            stand_in.write_text(
                f'#!/bin/sh\necho "{name} $*" >>{self.log}\necho "{says}"\n'
                f'case "{name} $*" in {failing}) exit 1;; esac\n'
            )
            stand_in.chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        subprocess.run(["bash", str(script)], env={"PATH": path}, check=False, capture_output=True, timeout=20)
        return self.log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_it_forwards_and_takes_the_route_over(machine: Machine) -> None:
    done = machine.run(machine.script)
    assert "sysctl -q -w net.ipv4.ip_forward=1" in done
    assert "iptables -t nat -A POSTROUTING -o ens5 -j MASQUERADE" in done
    assert done[-2:] == [
        "aws ec2 modify-instance-attribute --instance-id i-1 --no-source-dest-check",
        "aws ec2 replace-route --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0 --instance-id i-1",
    ]


def test_the_first_one_makes_the_route(machine: Machine) -> None:
    done = machine.run(machine.script, failing="*replace-route*")
    assert done[-1].startswith("aws ec2 create-route --route-table-id rtb-1")


def test_it_does_the_same_after_a_reboot(machine: Machine) -> None:
    first = machine.run(machine.script)
    assert machine.run(machine.folder / "route") == first


@pytest.mark.parametrize("failing", ["dnf*", "iptables*", "*modify-instance*", "'aws ec2'*route*", "curl*"])
def test_one_that_does_not_come_up_as_a_router_goes_away(machine: Machine, failing: str) -> None:
    assert machine.run(machine.script, failing)[-1] == "shutdown -h now"
