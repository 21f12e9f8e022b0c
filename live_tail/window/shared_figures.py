"""SQL of figures of hosts and WebSockets, as the marts of the same figures have them.

Here: what is more than a sum of a table's column. Not here: the queries that people ask (`queries`), the
tables (`tables`). `tests/ingestion/meaning` compares both speeds by it.
"""

HOST_FIGURES = (
    "100 * (1 - sum(idle_sum) / nullif(sum(idle_count), 0)) AS cpu_utilization_pct,"
    " 100 * (sum(used_sum) / nullif(sum(used_count), 0)) AS memory_utilization_pct,"
    " sum(load_sum) / nullif(sum(load_count), 0) AS load_1m"
)
"""Means over all points of whatever time: means of means would weigh buckets of few points as much."""

CONNECTIONS = """
    SELECT ended.* EXCLUDE (told_received, told_sent),
        coalesce(told_received, counted.received) AS messages_received,
        coalesce(told_sent, counted.sent) AS messages_sent
    FROM (
        FROM hot_websocket_connections QUALIFY row_number() OVER (
            PARTITION BY connection, opened_at ORDER BY duration_ns DESC, component, name) = 1
    ) AS ended
    LEFT JOIN (
        SELECT connection, sum(messages_received)::BIGINT AS received, sum(messages_sent)::BIGINT AS sent
        FROM hot_websocket_messages GROUP BY 1
    ) AS counted USING (connection)
"""
"""Connections that ended, one row each, however often they were told; what a connection says of its
messages counts before what its messages' own spans say, as in `fct_websocket_connections`."""
