"""Every setting of the product, typed, from environment and one YAML file.

Here: names, defaults and validation. Not here: secrets (`privacy/keys`), what may be kept
(`privacy/allow_list.yaml`) and reading file and environment (`setting_sources`). Precedence:
arguments > environment (`TTA_MONITOR_…`, nested with `__`) > `<home>/config.yaml` > defaults.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingestion.setting_sources import (
    SettingsProblem,
    from_environment,
    from_file,
    merged,
    wrong_settings,
)
from privacy.roles import Role

MIB = 1024 * 1024
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class _Section(BaseModel):
    """A misspelt setting is named at start, not ignored."""

    model_config = ConfigDict(extra="forbid")


class ReceiverSettings(_Section):
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


class OidcSettings(_Section):
    """An OpenID Connect provider that vouches for people, beside local accounts."""

    issuer: str = Field("", description="The provider, as in its tokens' `iss`; empty: none.")
    client_id: str = Field("", description="What the provider calls this app.")
    client_secret_file: Path | None = Field(
        None, description="A file of mode 0600 with the client's secret."
    )
    role_claim: str = Field(
        "groups", description="The claim that decides the role; `a.b` looks into `a`."
    )
    roles: dict[str, Role] = Field(
        default_factory=dict,
        description="Role by value of the claim; the first that somebody has decides, none is no role.",
    )
    scope: str = Field("openid", description="Scopes to ask for.")
    label: str = Field("single sign-on", description="What the button calls the provider.")
    app_url: str = Field(
        "", description="Address of the app for browsers, when it is not app.host and app.port."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.issuer:
            return self
        needed = ("client_id", "client_secret_file", "roles")
        missing = [f"access.oidc.{name}" for name in needed if not getattr(self, name)]
        if missing:
            raise ValueError(f"access.oidc.issuer is set, so set {', '.join(missing)} as well")
        for name in ("issuer", "app_url"):
            if not _is_safe_url(getattr(self, name)):
                raise ValueError(f"access.oidc.{name} must be https, or http on loopback")
        if "openid" not in self.scope.split():
            raise ValueError("access.oidc.scope must name openid")
        return self


class AccessSettings(_Section):
    """Signing in."""

    sign_in: Literal["local", "off"] = Field(
        "local", description="`local` accounts, or `off`: everybody is admin, loopback only."
    )
    session_hours: float = Field(12, description="How long a session lasts.", gt=0, le=168)
    token_file: Path | None = Field(
        None,
        description="A file with a token: commands ask the policy for its role, not the owner's.",
    )
    oidc: OidcSettings = Field(default_factory=lambda: OidcSettings.model_validate({}))


class AuditSettings(_Section):
    """The audit log."""

    heads_path: Path | None = Field(
        None, description="A second folder for the daily head, out of reach of who writes state.db."
    )


class GateSettings(_Section):
    """The privacy gate."""

    canary_floor: float = Field(
        0.98,
        ge=0.5,
        le=1,
        description="Share of planted words of each type that the detector must find.",
    )


class LiveSettings(_Section):
    """The live tail."""

    host: str = Field("127.0.0.1", description="Address of the live query API.")
    port: int = Field(4320, ge=1, le=65535, description="Port of the live query API.")
    hosts: list[str] = Field(
        default_factory=list, description="Further names under which the live API is asked."
    )
    window_minutes: int = Field(60, ge=1, description="How far back the live window reaches.")
    poll_ms: int = Field(
        100, ge=10, le=1_000, description="How often it is asked whether anything was committed."
    )
    fresh_ms: int = Field(
        500,
        ge=0,
        le=5_000,
        description="A reader sees whatever was committed longer ago than this.",
    )


class WarehouseSettings(_Section):
    """Batch side: drain, dbt, publish."""

    plan_rows: int = Field(
        1_000_000,
        ge=1,
        description="Rows drained in one plan at most: they lie in memory together.",
    )
    spool_keep_minutes: int = Field(
        75, description="How long drained rows stay for the live window."
    )
    build_every_minutes: int = Field(5, ge=1, le=59, description="Schedule of the batch pass.")
    keep_runs: int = Field(100, ge=1, description="Dagster runs whose events are kept.")
    memory_limit: str = Field("2GB", description="DuckDB memory limit of the batch pass.")


class AppSettings(_Section):
    """The Streamlit app."""

    host: str = Field("127.0.0.1", description="Address the app listens on.")
    hosts: list[str] = Field(
        default_factory=list,
        description="Further names under which browsers reach the app; addresses need none.",
    )
    port: int = Field(8501, ge=1, le=65535, description="Port of the app.")
    environment: str = Field("development", description="Name shown beside the product.")


class AlertingSettings(_Section):
    """Who is told; everything else stands in `<home>/alerting.yaml`."""

    webhook_url: str = Field(
        "", description="A webhook that is told of every alert, in Alertmanager's form."
    )


class LogFiles(_Section):
    """Log files to tail."""

    glob: str = Field(description="Absolute pattern of file names, e.g. /var/log/tta/*.log.")
    component: str = Field("", description="service.name; empty takes what the lines say.")


class CollectorSettings(_Section):
    """Our own OTLP senders."""

    enabled: bool = Field(True, description="Whether `up` starts the collectors.")
    host_interval_s: float = Field(
        5.0, gt=0, description="Seconds between host and process samples."
    )
    process_patterns: list[str] = Field(
        default_factory=lambda: ["tta", "uvicorn", "player_experience", "agent_orchestration"],
        description="A process is sampled when its command line contains one of these.",
    )
    log_files: list[LogFiles] = Field(
        default_factory=list, description="Log files to tail, JSON or text."
    )
    prometheus_config: Path | None = Field(
        None, description="A `prometheus.yml` whose scrape jobs are collected as they are."
    )


class RetentionSettings(_Section):
    """How long what is kept; the shipped rules are `privacy/retention.yaml`."""

    rules: dict[str, str | dict[str, str]] = Field(
        default_factory=dict,
        description="What differs from the shipped rules, by dataset or dataset/component.",
    )
    archive_path: Path | None = Field(
        None, description="Where archived partitions lie; empty is `<home>/archive`."
    )


class ErrorSettings(_Section):
    """Error groups."""

    grouping_version: Literal["g1", "g2"] = Field("g1", description="How error keys are made.")


class ReleaseSettings(_Section):
    """Publishing engagement figures."""

    epsilon_per_28_days: float = Field(
        6.3, gt=0, description="Privacy budget per person in any 28 days, over all marts."
    )
    allow_k_anonymity: bool = Field(
        False, description="Whether marts may ask for k-anonymity, which states no epsilon."
    )


class Settings(_Section):
    """All settings; `load_settings` makes one."""

    home: Path = Field(Path("var"), description="The data home.")
    receiver: ReceiverSettings = Field(default_factory=lambda: ReceiverSettings.model_validate({}))
    audit: AuditSettings = Field(default_factory=lambda: AuditSettings.model_validate({}))
    access: AccessSettings = Field(default_factory=lambda: AccessSettings.model_validate({}))
    gate: GateSettings = Field(default_factory=lambda: GateSettings.model_validate({}))
    live: LiveSettings = Field(default_factory=lambda: LiveSettings.model_validate({}))
    warehouse: WarehouseSettings = Field(
        default_factory=lambda: WarehouseSettings.model_validate({})
    )
    app: AppSettings = Field(default_factory=lambda: AppSettings.model_validate({}))
    alerting: AlertingSettings = Field(default_factory=lambda: AlertingSettings.model_validate({}))
    errors: ErrorSettings = Field(default_factory=lambda: ErrorSettings.model_validate({}))
    collectors: CollectorSettings = Field(
        default_factory=lambda: CollectorSettings.model_validate({})
    )
    release: ReleaseSettings = Field(default_factory=lambda: ReleaseSettings.model_validate({}))
    retention: RetentionSettings = Field(
        default_factory=lambda: RetentionSettings.model_validate({})
    )

    @model_validator(mode="after")
    def _sign_in_is_off_on_loopback_only(self) -> Self:
        hosts = {self.app.host, self.live.host}
        if self.access.sign_in == "off" and not hosts <= _LOOPBACK:
            raise ValueError(
                "access.sign_in is off, which is allowed only while app.host and live.host are "
                "127.0.0.1, ::1 or localhost: set access.sign_in to local"
            )
        return self

    @property
    def spool_path(self) -> Path:
        """The durable queue."""
        return self.home / "spool.db"

    @property
    def lake_path(self) -> Path:
        """Hour partitions, `<signal>/date=…/hour=…`."""
        return self.home / "lake"

    @property
    def archive_path(self) -> Path:
        """Old partitions, sealed as they were, in the same layout as the lake."""
        return self.retention.archive_path or self.home / "archive"

    @property
    def warehouse_path(self) -> Path:
        """The marts' database, opened by Dagster alone."""
        return self.home / "warehouse.duckdb"

    def published_path(self, audience: str) -> Path:
        """The read-only copy for one audience."""
        return self.home / "published" / f"{audience}.duckdb"

    @property
    def run_path(self) -> Path:
        """Process ids, heartbeats and logs of the supervised processes."""
        return self.home / "run"

    @property
    def dagster_socket(self) -> Path:
        """Where Dagster's page listens for the app, which serves it under `/dagster`."""
        return self.run_path / "dagster.sock"


def load_settings(home: Path | None = None, **overrides: Any) -> Settings:
    """Settings for a data home; raises SettingsProblem naming every wrong value at once."""
    chosen = home or Path(os.environ.get("TTA_MONITOR_HOME", "var"))
    file = chosen / "config.yaml"
    values = merged(from_file(file), from_environment(Settings, os.environ, "TTA_MONITOR_"))
    try:
        return Settings(**{**values, "home": chosen.resolve(), **overrides})
    except ValidationError as error:
        wrong = wrong_settings(Settings, error.errors(), file, os.environ)
        raise SettingsProblem(f"{wrong} See docs/configuration.md.") from None


def _is_safe_url(url: str) -> bool:
    """Whether nobody on the way can read it: TLS, or this machine; an unset one is."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return not url or (bool(parts.hostname) and (parts.scheme == "https" or is_local))
