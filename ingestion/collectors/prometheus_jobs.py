"""The scrape jobs of an existing `prometheus.yml`, taken as they are.

Here: jobs, static targets, parameters, authorisation and relabelling of targets. Not here: HTTP
(`scraper`) and the exposition formats (`exposition`). What is not supported (service discovery) is
named in `Jobs.skipped`; it never stops the other jobs. Source: Prometheus configuration reference.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


class JobsProblem(Exception):
    """The file cannot be used; the message names it, the cause and the fix."""


@dataclass(frozen=True)
class Target:
    """One address to scrape, after relabelling."""

    job: str
    instance: str
    url: str
    interval_s: float
    timeout_s: float
    labels: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Jobs:
    """All targets of a file, and in words what of it is not scraped."""

    targets: tuple[Target, ...]
    skipped: tuple[str, ...]


def load_jobs(path: Path) -> Jobs:
    """Read a `prometheus.yml`; raises JobsProblem when nothing of it can be used."""
    try:
        config = yaml.safe_load(path.read_text())
    except OSError as error:
        raise JobsProblem(
            f"{path} cannot be read ({error.strerror}); correct collectors.prometheus_config."
        ) from None
    except yaml.YAMLError:
        raise JobsProblem(f"{path} is not YAML; run promtool check config on it.") from None
    if not isinstance(config, dict) or not isinstance(config.get("scrape_configs"), list):
        raise JobsProblem(f"{path} has no list scrape_configs; give a prometheus.yml.")
    defaults = config.get("global") or {}
    targets: list[Target] = []
    skipped: list[str] = []
    for job in config["scrape_configs"]:
        name = job.get("job_name", "unnamed") if isinstance(job, dict) else "unnamed"
        try:
            targets += _targets(job, defaults)
            skipped += [f"{name}: {key}" for key in job if key.endswith("_sd_configs")]
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            skipped.append(f"{name}: {type(error).__name__} {error}")
    return Jobs(tuple(targets), tuple(skipped))


def seconds(duration: str) -> float:
    """`1m30s` → 90.0; raises ValueError."""
    parts = _PART.findall(str(duration))
    if not parts or "".join(number + unit for number, unit in parts) != str(duration):
        raise ValueError(f"{duration} is not a duration such as 15s")
    return sum(int(number) * _UNITS_S[unit] for number, unit in parts)


def relabel(labels: dict[str, str], rules: list[dict[str, Any]]) -> dict[str, str] | None:
    """Labels after `relabel_configs`; None when the target is dropped. Raises ValueError."""
    for rule in rules:
        action = rule.get("action", "replace")
        sources = [labels.get(name, "") for name in rule.get("source_labels", ())]
        source = rule.get("separator", ";").join(sources)
        match = re.fullmatch(str(rule.get("regex", "(.*)")), source)
        if action == "replace":
            if match:
                replacement = re.sub(
                    r"\$\{?(\w+)\}?", r"\\g<\1>", str(rule.get("replacement", "$1"))
                )
                labels = {**labels, rule["target_label"]: match.expand(replacement)}
        elif action in {"keep", "drop"}:
            if bool(match) != (action == "keep"):
                return None
        else:
            raise ValueError(f"relabel action {action} is not supported")
    return labels


def _targets(job: dict[str, Any], defaults: dict[str, Any]) -> Iterator[Target]:
    interval_s = seconds(job.get("scrape_interval") or defaults.get("scrape_interval", "1m"))
    timeout_s = seconds(job.get("scrape_timeout") or defaults.get("scrape_timeout", "10s"))
    headers = _authorization(job)
    for group in job.get("static_configs") or ():
        for address in group["targets"]:
            labels: dict[str, str] | None = {
                "job": str(job["job_name"]),
                "__address__": str(address),
                "__scheme__": job.get("scheme", "http"),
                "__metrics_path__": job.get("metrics_path", "/metrics"),
                **{f"__param_{k}": str(v[0]) for k, v in (job.get("params") or {}).items()},
                **{str(k): str(v) for k, v in (group.get("labels") or {}).items()},
            }
            labels = relabel(labels, job.get("relabel_configs") or [])
            if labels is not None:
                # A timeout above the interval would let scrapes of one target overlap.
                yield _target(labels, interval_s, min(timeout_s, interval_s), headers)


def _target(
    labels: dict[str, str], interval_s: float, timeout_s: float, headers: dict[str, str]
) -> Target:
    params = {k[8:]: v for k, v in labels.items() if k.startswith("__param_")}
    query = f"?{urlencode(params)}" if params else ""
    address = labels["__address__"]
    url = f"{labels['__scheme__']}://{address}{labels['__metrics_path__']}{query}"
    kept = {k: v for k, v in labels.items() if not k.startswith("__")}
    job, instance = kept.pop("job"), kept.pop("instance", address)
    return Target(job, instance, url, interval_s, timeout_s, kept, headers)


def _authorization(job: dict[str, Any]) -> dict[str, str]:
    basic, bearer = job.get("basic_auth"), job.get("authorization")
    if basic:
        password = basic.get("password") or Path(basic["password_file"]).read_text().strip()
        token = b64encode(f"{basic['username']}:{password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}
    if bearer:
        secret = bearer.get("credentials") or Path(bearer["credentials_file"]).read_text().strip()
        return {"Authorization": f"{bearer.get('type', 'Bearer')} {secret}"}
    return {}
