"""Reads OpenMetrics strictly, and says how many families there are."""

import sys

from prometheus_client.openmetrics.parser import text_fd_to_metric_families

families = list(text_fd_to_metric_families(sys.stdin))
print(len(families), "families")
