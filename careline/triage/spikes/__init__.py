"""Spikes: whether more is being said than usual, how sure that is, about what and by whom. Pure statistics; storing and telling live elsewhere."""

from careline.triage.spikes.causes import Cause, count_usage
from careline.triage.spikes.counts import BRAND, BUCKET, Counts, Seen, Unit, Usage, bucket_counts, units_of
from careline.triage.spikes.defaults import DEFAULTS, Defaults
from careline.triage.spikes.judging import Spike, judge_cluster, judge_unit
from careline.triage.spikes.severity import Part

__all__ = [
    "BRAND", "BUCKET", "DEFAULTS", "Cause", "Counts", "Defaults", "Part", "Seen", "Spike", "Unit", "Usage", "bucket_counts", "count_usage", "judge_cluster",
    "judge_unit", "units_of",
]  # fmt: skip
