"""The decisions that the templates hold, asserted on the templates themselves."""

import re
from typing import Any

import pytest

from cryptowatch.deploy.preflight import POSTGRESQL
from tests.templates.reading import FOLDER, ROOT, TEMPLATES, as_list, properties, statements
from workers.drain import HOOK


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_template_stays_small(name: str) -> None:
    assert len((FOLDER / f"{name}.yaml").read_text().splitlines()) <= 325


def test_every_template_is_in_the_root() -> None:
    nested = {
        re.search(r"/([a-z-]+)\.yaml$", str(one["TemplateURL"]["Fn::Sub"]))
        for one in properties("AWS::CloudFormation::Stack").values()
    }
    assert {found.group(1) for found in nested if found} == set(TEMPLATES) - {"crypto-watch"}


def test_every_parameter_is_asked_as_a_question_in_a_group() -> None:
    interface = ROOT["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(ROOT["Parameters"])
    labels = {name: label["default"] for name, label in interface["ParameterLabels"].items()}
    assert sorted(labels) == sorted(ROOT["Parameters"])
    assert [name for name, label in labels.items() if "?" not in label] == []


# --- queues ---


def test_every_queue_has_a_dead_letter_queue_that_keeps_longer() -> None:
    queues = properties("AWS::SQS::Queue")
    dead = {
        one["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for one in queues.values()
        if "RedrivePolicy" in one
    }
    assert dead == {"AnalysisDeadLetterQueue", "StudiesDeadLetterQueue", "AlertsDeadLetterQueue"}
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True, name
        if name in dead:
            assert queue["MessageRetentionPeriod"] == 14 * 86400
        else:
            assert queue["RedrivePolicy"]["maxReceiveCount"] >= 3
            assert queue["MessageRetentionPeriod"] < 14 * 86400


def test_alerts_stay_invisible_for_six_times_the_function_that_reads_them() -> None:
    queues = properties("AWS::SQS::Queue")
    notify = properties("AWS::Lambda::Function")["NotifyFunction"]
    assert queues["AlertsQueue"]["VisibilityTimeout"] >= 6 * notify["Timeout"]


@pytest.mark.parametrize(("queue", "longest_s"), [("Analysis", 60), ("Studies", 600)])
def test_what_a_dead_worker_held_comes_back_soon_and_not_during_its_task(queue: str, longest_s: int) -> None:
    visibility = f"{queue}VisibilitySeconds"
    assert properties("AWS::SQS::Queue")[f"{queue}Queue"]["VisibilityTimeout"] == {"Ref": visibility}
    limit_s = TEMPLATES["workers"]["Parameters"][f"{queue}LimitSeconds"]["Default"]
    assert 2 * limit_s <= TEMPLATES["queues"]["Parameters"][visibility]["Default"] <= longest_s


def test_every_queue_and_topic_refuses_what_is_not_tls() -> None:
    covered = set()
    for kind, members in (("AWS::SQS::QueuePolicy", "Queues"), ("AWS::SNS::TopicPolicy", "Topics")):
        for policy in properties(kind).values():
            denied = [
                one
                for one in policy["PolicyDocument"]["Statement"]
                if one["Effect"] == "Deny"
                and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                and one["Principal"] == "*"
            ]
            if denied:
                covered |= {member["Ref"] for member in policy[members]}
    assert covered == set(properties("AWS::SQS::Queue")) | set(properties("AWS::SNS::Topic"))


def test_notify_reads_its_queue_with_partial_failures_and_a_limit() -> None:
    (mapping,) = properties("AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2
    assert "MaximumBatchingWindowInSeconds" not in mapping  # it gathers by itself


# --- functions ---


def test_every_function_has_its_own_log_with_an_end_and_runs_in_the_network() -> None:
    logs = properties("AWS::Logs::LogGroup")
    assert all("RetentionInDays" in log for log in logs.values())
    used = []
    for function in properties("AWS::Lambda::Function").values():
        used.append(function["LoggingConfig"]["LogGroup"]["Ref"])
        assert function["VpcConfig"]["SubnetIds"] == {"Ref": "SubnetIds"}
    assert sorted([*used, "WorkerLog"]) == sorted(logs)


def test_functions_are_given_only_the_variables_they_read() -> None:
    common = {"DATABASE_SECRET_ARN", "DATABASE_CA_FILE"}
    user = {"DATABASE_HOST", "DATABASE_USER"}
    queues = {"ANALYSIS_QUEUE_URL", "STUDIES_QUEUE_URL", "ALERTS_QUEUE_URL"}
    expected = {
        "DispatchFunction": user | {"INGEST_FUNCTION"},
        "IngestFunction": user | {"ANALYSIS_QUEUE_URL"},
        "SweepFunction": user | queues | {"CANDLE_RETENTION", "STACK_NAME"},
        "NotifyFunction": user | {"ALERT_TOPIC_ARN", "GATHER_SECONDS"},
        "ControlFunction": queues | {"ALERT_TOPIC_ARN", "CANDLE_RETENTION"},
    }
    given = {name: set(one["Environment"]["Variables"]) for name, one in properties("AWS::Lambda::Function").items()}
    assert given == {name: common | more for name, more in expected.items()}


def test_every_handler_is_there() -> None:
    for function in properties("AWS::Lambda::Function").values():
        package, module, name = function["Handler"].split(".")
        assert f"def {name}(" in (FOLDER.parent / package / f"{module}.py").read_text()


def test_the_command_line_finds_control_by_the_stacks_name() -> None:
    control = ROOT["Resources"]["Control"]["Properties"]["Parameters"]
    assert control["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-control"}


def test_dispatch_and_sweep_run_each_minute_and_a_missed_one_is_not_made_up() -> None:
    schedules = properties("AWS::Scheduler::Schedule")
    assert {one["Target"]["Arn"]["Fn::GetAtt"][0] for one in schedules.values()} == {
        "DispatchFunction",
        "SweepFunction",
    }
    for schedule in schedules.values():
        assert schedule["ScheduleExpression"] == "rate(1 minute)"
        assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0


# --- rights ---


def test_no_action_is_a_wildcard() -> None:
    assert [(name, one["Action"]) for name, one in statements() if any("*" in a for a in as_list(one["Action"]))] == []


def test_no_right_is_for_every_resource() -> None:
    everywhere = [(name, one["Action"]) for name, one in statements() if "*" in as_list(one["Resource"])]
    # SNS and CloudWatch know no resource for these, so nothing narrower can be written.
    assert everywhere == [
        ("ControlRole", ["sns:Unsubscribe", "sns:GetSubscriptionAttributes"]),
        ("WorkerRole", "cloudwatch:PutMetricData"),
    ]
    (metrics,) = [one for _, one in statements() if one["Action"] == "cloudwatch:PutMetricData"]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "CryptoWatch"}}


@pytest.mark.parametrize("role", ["IngestRole", "SweepRole", "ControlRole", "WorkerRole"])
def test_celery_may_look_at_the_queue_it_sends_to_or_reads(role: str) -> None:
    actions = {action for name, one in statements() if name == role for action in as_list(one["Action"])}
    assert "sqs:GetQueueAttributes" in actions


# --- workers ---


def scaling() -> dict[str, Any]:
    policy = properties("AWS::AutoScaling::ScalingPolicy")["KeepUpPolicy"]
    found: dict[str, Any] = policy["TargetTrackingConfiguration"]
    return found


def test_the_fleet_follows_the_seconds_of_work_that_wait_or_are_in_hand() -> None:
    metrics = {one["Id"]: one for one in scaling()["CustomizedMetricSpecification"]["Metrics"]}
    assert scaling()["TargetValue"] == 1
    assert "DisableScaleIn" not in scaling()
    assert [name for name, one in metrics.items() if one["ReturnData"]] == ["load"]
    assert metrics["load"]["Expression"] == {
        "Fn::Sub": "((lv+FILL(li,0))*${LiveMeanSeconds}/(${LiveGoalSeconds}*${LiveSlots}) "
        "+ (bv+FILL(bi,0))*${BulkMeanSeconds}/(${BulkGoalSeconds}*${BulkSlots})) / IF(n>0,n,1)"
    }
    stats = {name: one["MetricStat"]["Stat"] for name, one in metrics.items() if "MetricStat" in one}
    assert stats == {"lv": "Maximum", "li": "Maximum", "bv": "Maximum", "bi": "Maximum", "n": "Average"}
    queues = {name: queue_of(one["MetricStat"]["Metric"]) for name, one in metrics.items() if name in stats}
    assert queues == {"lv": "AnalysisQueueName", "li": "AnalysisQueueName"} | {
        "bv": "StudiesQueueName",
        "bi": "StudiesQueueName",
        "n": "WorkerGroup",
    }


def queue_of(metric: dict[str, Any]) -> str:
    (dimension,) = metric["Dimensions"]
    return str(dimension["Value"]["Ref"])


def test_a_fleet_of_none_is_started_by_waiting_work_and_by_nothing_else() -> None:
    """An alarm on the waiting messages alone would add an instance each minute, however many there are."""
    workers = TEMPLATES["workers"]
    policy, alarm = workers["Resources"]["StartPolicy"], workers["Resources"]["StartAlarm"]
    assert policy["Condition"] == alarm["Condition"] == "FromZero"
    assert workers["Conditions"]["FromZero"] == {"Fn::Equals": [{"Ref": "LeastWorkers"}, "0"]}
    assert ROOT["Parameters"]["LeastWorkers"]["MinValue"] == 0
    (step,) = policy["Properties"]["StepAdjustments"]
    assert (step["MetricIntervalLowerBound"], step["ScalingAdjustment"]) == (0, 1)
    watched = alarm["Properties"]
    metrics = {one["Id"]: one for one in watched["Metrics"]}
    assert metrics["waiting"]["Expression"] == "IF(FILL(desired,0) == 0, lv + bv, 0)"
    assert metrics["desired"]["MetricStat"]["Metric"]["MetricName"] == "GroupDesiredCapacity"
    assert (watched["ComparisonOperator"], watched["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert watched["AlarmActions"] == [{"Ref": "StartPolicy"}]


def test_one_instance_is_on_demand_and_the_others_are_spot_of_several_types() -> None:
    group = properties("AWS::AutoScaling::AutoScalingGroup")["WorkerGroup"]
    policy = group["MixedInstancesPolicy"]
    assert policy["InstancesDistribution"]["OnDemandBaseCapacity"] == 1
    assert policy["InstancesDistribution"]["SpotAllocationStrategy"] == "price-capacity-optimized"
    assert policy["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == {"Ref": "OnDemandPercent"}
    assert group["CapacityRebalance"] is True
    types = ROOT["Parameters"]["WorkerInstanceTypes"]["Default"].split(",")
    assert len(set(types)) == len(policy["LaunchTemplate"]["Overrides"]) == 3


def test_a_busy_fleet_does_not_grow_because_it_is_busy() -> None:
    """With every slot working and nothing waiting, the load must not be above its target."""
    default = {name: one.get("Default") for name, one in ROOT["Parameters"].items()}
    shares = [default[f"{kind}MeanSeconds"] / default[f"{kind}GoalSeconds"] for kind in ("Live", "Bulk")]
    assert sum(shares) <= 1


def test_the_group_reports_what_the_expression_reads() -> None:
    group = properties("AWS::AutoScaling::AutoScalingGroup")["WorkerGroup"]
    (collected,) = group["MetricsCollection"]
    assert collected["Granularity"] == "1Minute"
    assert "GroupInServiceInstances" in collected["Metrics"]


def user_data() -> str:
    template = properties("AWS::EC2::LaunchTemplate")["WorkerLaunchTemplate"]
    text, _ = template["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Sub"]
    return str(text)


def test_a_new_image_goes_on_to_the_next_instance_only_when_its_worker_has_said_that_it_works() -> None:
    workers = TEMPLATES["workers"]["Resources"]
    update = workers["WorkerGroup"]["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert update["WaitOnResourceSignals"] is True
    assert update["MinInstancesInService"] < TEMPLATES["workers"]["Parameters"]["MostWorkers"]["MinValue"]
    # What would replace or scale instances meanwhile would wait for, or take away, the wrong ones.
    assert {"ReplaceUnhealthy", "AZRebalance", "AlarmNotification", "ScheduledActions"} <= set(
        update["SuspendProcesses"]
    )
    rights = [one for role, one in statements() if role == "WorkerRole"]
    (signal,) = [one for one in rights if one["Action"] == "cloudformation:SignalResource"]
    assert signal["Resource"] == {"Ref": "AWS::StackId"}
    (values, _) = workers["WorkerLaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"][
        "Fn::Sub"
    ]
    assert "\nWORKERS_STACK=${AWS::StackName}\n" in values


def test_a_worker_that_is_to_go_drains_first() -> None:
    (hook,) = properties("AWS::AutoScaling::LifecycleHook").values()
    group = properties("AWS::AutoScaling::AutoScalingGroup")["WorkerGroup"]
    assert f"WORKER_GROUP={group['AutoScalingGroupName']['Fn::Sub']}\n" in user_data()
    assert hook["LifecycleHookName"] == HOOK
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert hook["HeartbeatTimeout"] == 300
    assert hook["DefaultResult"] == "CONTINUE"


def test_instances_give_credentials_only_to_those_who_ask_properly() -> None:
    for template in properties("AWS::EC2::LaunchTemplate").values():
        assert template["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"] == "required"


def test_no_parameter_is_looked_up_whose_value_another_stack_has_still_to_make() -> None:
    """A change set that looks into nested stacks has a placeholder for it, and fails when AWS is asked for that."""
    for name, stack in properties("AWS::CloudFormation::Stack").items():
        given = stack.get("Parameters", {})
        unknown = {one for one in given if "Fn::GetAtt" in str(given[one])}
        template = TEMPLATES[stack["TemplateURL"]["Fn::Sub"].rpartition("/")[2].removesuffix(".yaml")]
        looked_up = {one for one, definition in template["Parameters"].items() if "AWS::" in definition["Type"]}
        assert not unknown & looked_up, name


# --- database ---


def test_the_database_survives_its_stack_and_is_not_public() -> None:
    database = TEMPLATES["database"]["Resources"]["Database"]
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert database["Properties"]["DeletionProtection"] == {"Ref": "DeletionProtection"}
    assert ROOT["Parameters"]["DeletionProtection"]["Default"] == "true"
    assert database["Properties"]["StorageEncrypted"] is True
    for instance in properties("AWS::RDS::DBInstance").values():
        assert instance["PubliclyAccessible"] is False
    (parameters,) = properties("AWS::RDS::DBParameterGroup").values()
    assert parameters["Parameters"]["rds.force_ssl"] == "1"


def test_the_version_that_a_deploy_asks_for_is_the_templates() -> None:
    assert TEMPLATES["database"]["Resources"]["Database"]["Properties"]["EngineVersion"] == POSTGRESQL


def test_the_largest_storage_leaves_the_room_to_grow_that_rds_asks_for() -> None:
    largest = ROOT["Parameters"]["DatabaseStorageGiB"]["MaxValue"]
    for instance in properties("AWS::RDS::DBInstance").values():
        assert instance["MaxAllocatedStorage"] >= 1.1 * largest


def test_the_password_is_generated_and_stands_nowhere() -> None:
    database = TEMPLATES["database"]["Resources"]["Database"]["Properties"]
    assert "ManageMasterUserPassword" not in database  # it would forbid read replicas
    assert database["MasterUserPassword"] == {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:password}}"}
    assert "GenerateSecretString" in TEMPLATES["database"]["Resources"]["Secret"]["Properties"]
    assert "SecretAttachment" in TEMPLATES["database"]["Resources"]
