"""What makes two items the same fact: the columns that both speeds compare.

Here: columns by signal. Not here: comparing (`ingestion/lake/repeats` by MD5 over files,
`live_tail/window/seen` by 64-bit hashes in memory). The n-th occurrence of the same content in one batch
is the n-th such fact, so equal facts sent together all count, and facts sent again do not.
"""

SAME: dict[str, tuple[str, ...]] = {
    "spans": ("component", "trace_id", "span_id", "start_at", "duration_ns", "name", "kind"),
    "logs": (
        "component",
        "event_at",
        "observed_at",
        "severity_number",
        "event_name",
        "body",
        "trace_id",
        "span_id",
        "scope_name",
        "attributes",
    ),
    "metric_points": (
        "component",
        "resource_attributes",
        "scope_name",
        "metric",
        "kind",
        "attributes",
        "event_at",
        "start_at",
        "value",
        "point_count",
        "point_sum",
    ),
}
