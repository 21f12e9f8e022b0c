"""All settings of a home as one: its sections, its paths, loading and validating.

Here: the whole. Not here: a section (the modules beside), reading file and environment (`sources`).
Precedence: arguments > environment (`TTA_MONITOR_…`, nested with `__`) > `<home>/config.yaml` > defaults.
"""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from ingestion.settings.access import AccessSettings
from ingestion.settings.alerting import AlertingSettings
from ingestion.settings.app import AppSettings, PriceSettings
from ingestion.settings.audit import AuditSettings
from ingestion.settings.collectors import CollectorSettings
from ingestion.settings.errors import ErrorSettings
from ingestion.settings.gate import GateSettings
from ingestion.settings.live import LiveSettings
from ingestion.settings.receiver import ReceiverSettings
from ingestion.settings.release import ReleaseSettings, ReportSettings
from ingestion.settings.retention import RetentionSettings
from ingestion.settings.section import LOOPBACK, Section
from ingestion.settings.sources import (
    SettingsProblem,
    from_environment,
    from_file,
    merged,
    wrong_settings,
)
from ingestion.settings.warehouse import WarehouseSettings


class Settings(Section):
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
    prices: PriceSettings = Field(default_factory=lambda: PriceSettings.model_validate({}))
    release: ReleaseSettings = Field(default_factory=lambda: ReleaseSettings.model_validate({}))
    reports: ReportSettings = Field(default_factory=lambda: ReportSettings.model_validate({}))
    retention: RetentionSettings = Field(
        default_factory=lambda: RetentionSettings.model_validate({})
    )

    @model_validator(mode="after")
    def _sign_in_is_off_on_loopback_only(self) -> Self:
        hosts = {self.app.host, self.live.host}
        if self.access.sign_in == "off" and not hosts <= LOOPBACK:
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
    def reports_path(self) -> Path:
        """Reports as they were made, `YYYY/MM/DD`, and their history."""
        return self.home / "reports"

    @property
    def run_path(self) -> Path:
        """Process ids, heartbeats and logs of the supervised processes."""
        return self.home / "run"

    @property
    def dagster_socket(self) -> Path:
        """Where Dagster's page listens for the app, which serves it under `/dagster`."""
        return self.run_path / "dagster.sock"


def home_of(home: Path | None) -> Path:
    """The data home that is meant: this one, else that of the environment, else `./var`."""
    return home or Path(os.environ.get("TTA_MONITOR_HOME", "var"))


def shipped_settings(home: Path | None = None) -> Settings:
    """The defaults for a data home, whatever its file and the environment say."""
    return Settings.model_validate({"home": home_of(home).resolve()})


def load_settings(home: Path | None = None, **overrides: Any) -> Settings:
    """Settings for a data home; raises SettingsProblem naming every wrong value at once."""
    chosen = home_of(home)
    file = chosen / "config.yaml"
    values = merged(from_file(file), from_environment(Settings, os.environ, "TTA_MONITOR_"))
    try:
        return Settings(**{**values, "home": chosen.resolve(), **overrides})
    except ValidationError as error:
        wrong = wrong_settings(Settings, error.errors(), file, os.environ)
        raise SettingsProblem(f"{wrong} See docs/configuration.md.") from None
