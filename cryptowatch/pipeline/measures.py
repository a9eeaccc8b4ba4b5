"""What sweep writes into its log for CloudWatch to read as metrics: the figures behind the alarms and the dashboard."""

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from cryptowatch.store.pulse import Pulse

NAMESPACE = "CryptoWatch"


def measure(pulse: Pulse, stack: str) -> None:
    """Write a pulse down in the embedded metric format; every figure carries the stack's name as `service`."""
    metrics = Metrics(namespace=NAMESPACE, service=stack)
    for name, unit, value in (
        ("AlertsMade", MetricUnit.Count, pulse.alerts_made),
        ("AlertsSent", MetricUnit.Count, pulse.alerts_sent),
        ("AlertsHeld", MetricUnit.Count, pulse.alerts_held),
        ("OldestUnsentAlertSeconds", MetricUnit.Seconds, pulse.oldest_unsent_s),
        ("CandlesStored", MetricUnit.Count, pulse.candles_stored),
        ("GreatestIngestLagSeconds", MetricUnit.Seconds, pulse.greatest_lag_s),
    ):
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()
    for source, lag_s in pulse.lag_s.items():
        with single_metric("IngestLagSeconds", MetricUnit.Seconds, lag_s, namespace=NAMESPACE) as metric:
            metric.add_dimension("service", stack)
            metric.add_dimension("source", source)
