"""`receiver.…`: the doors of telemetry and their limits."""

from pydantic import Field

from ingestion.settings.section import MIB, Section


class ReceiverSettings(Section):
    """The OTLP door."""

    host: str = Field("127.0.0.1", description="Address the receivers listen on.")
    http_port: int = Field(4318, ge=1, le=65535, description="OTLP/HTTP port.")
    grpc_port: int = Field(4317, ge=1, le=65535, description="OTLP/gRPC port.")
    hosts: list[str] = Field(
        default_factory=list,
        description="Further names under which senders reach the HTTP port; addresses need none.",
    )
    browser_origins: list[str] = Field(
        default_factory=list,
        description="Web sites whose pages may send, e.g. https://play.example.org; others may not.",
    )
    tokens: dict[str, str] = Field(
        default_factory=dict,
        description="Bearer token per component; required from every sender outside loopback.",
    )
    max_body_bytes: int = Field(
        64 * MIB, description="Largest body before and after decompression."
    )
    max_grpc_bytes: int = Field(
        8 * MIB, ge=64 * 1024, description="Largest message of OTLP/gRPC, decompressed."
    )
    max_body_items: int = Field(
        250_000, ge=1, description="Most spans, log records or metric points of a body."
    )
    max_body_groups: int = Field(
        10_000, ge=1, description="Most resources of a body, and most scopes."
    )
    max_item_values: int = Field(
        10_000,
        ge=64,
        description="Most fields of one item (or resource) with all that it nests.",
    )
    max_item_bytes: int = Field(
        16 * MIB, ge=64 * 1024, description="Largest item in a body; larger ones are refused alone."
    )
    max_body_depth: int = Field(64, ge=16, description="Deepest nesting of a JSON body.")
    max_body_work_s: float = Field(
        3.0,
        gt=0,
        description="Work that one body may take, in seconds, without waiting for others.",
    )
    max_components: int = Field(
        500, ge=1, description="New components an hour; those beyond share `(other)`."
    )
    max_instances: int = Field(
        1_000, ge=1, description="New instances of a component an hour; beyond: `(other)`."
    )
    max_span_names: int = Field(
        2_000, ge=1, description="New span names of a component an hour; beyond: `(other)`."
    )
    max_routes: int = Field(
        2_000, ge=1, description="New routes of a component an hour; beyond: `(other)`."
    )
    max_attribute_names: int = Field(
        500,
        ge=1,
        description="New unlisted attribute names of a component an hour; beyond: `(other)`.",
    )
    max_series: int = Field(
        50_000,
        ge=1,
        description="New metric series of a component an hour; points of others are refused.",
    )
    max_pending_bytes: int = Field(
        128 * MIB, description="Decompressed bytes waiting for commit; above it senders get 429."
    )
    group_commit_ms: int = Field(
        50, description="Requests arriving within this time share one commit."
    )
    digest_hours: int = Field(24, ge=1, description="How long a repeated body is recognised.")
