"""SQL of figures of hosts and WebSockets, as the marts of the same figures have them.

Here: what is more than a sum of a table's column. Not here: the queries that people ask (`named_queries`),
the tables (`tables`). `tests/ingestion/meaning` compares both speeds by it.
"""

SINCE = (
    "bucket_at >= $start AND bucket_at <= $now AND ($component IS NULL OR component = $component)"
)
"""The rows of the time and component that a query is asked for."""

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

# Messages of connections that ended are theirs; those of open ones are told by their own spans.
WEBSOCKETS = f"""
WITH connections AS ({CONNECTIONS}),
counted AS (
    SELECT component, route, count(*) AS closed_connections, sum(messages_received) AS messages_received,
        sum(messages_sent) AS messages_sent
    FROM connections WHERE {SINCE} GROUP BY 1, 2
    UNION ALL
    SELECT component, route, 0, sum(messages_received), sum(messages_sent)
    FROM hot_websocket_messages
    WHERE {SINCE} AND connection NOT IN (SELECT connection FROM connections) GROUP BY 1, 2
)
SELECT component, route, sum(closed_connections)::BIGINT AS closed_connections,
    coalesce(sum(messages_received), 0)::BIGINT AS messages_received,
    coalesce(sum(messages_sent), 0)::BIGINT AS messages_sent
FROM counted GROUP BY 1, 2 ORDER BY messages_sent DESC
"""
"""Connections that ended by route, and messages: those of open connections too."""
