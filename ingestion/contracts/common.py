"""Column types and origin columns that every landed signal shares."""

import pyarrow as pa

TIME = pa.timestamp("us")
"""UTC microseconds without zone."""

ATTRIBUTES = pa.map_(pa.string(), pa.string())
"""Gated attributes; numbers and booleans in their JSON spelling, arrays as JSON text."""

ORIGIN = [
    pa.field("component", pa.string(), nullable=False),  # service.name
    pa.field("component_version", pa.string()),  # service.version
    pa.field("component_instance", pa.string()),  # service.instance.id, pseudonymous
    pa.field("host", pa.string()),  # host.name
    pa.field("environment", pa.string()),  # deployment.environment(.name)
    pa.field("resource_attributes", pa.string(), nullable=False),  # JSON object, keys sorted
    pa.field("scope_name", pa.string()),
    pa.field("scope_version", pa.string()),
    pa.field("received_at", TIME, nullable=False),  # ingest time
]
