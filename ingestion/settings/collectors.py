"""`collectors.…`: our own OTLP senders."""

from pathlib import Path

from pydantic import Field

from ingestion.settings.section import Section


class LogFiles(Section):
    """Log files to tail."""

    glob: str = Field(description="Absolute pattern of file names, e.g. /var/log/tta/*.log.")
    component: str = Field("", description="service.name; empty takes what the lines say.")


class CollectorSettings(Section):
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
