"""The scrape jobs of an existing `prometheus.yml`, taken as they are.

Here: jobs and their files, static targets, parameters and relabelling of targets. Not here: HTTP
(`scraper`), how a job speaks to its targets (`job_http`), the exposition formats (`exposition`). What
is not supported is named in `Jobs.skipped`, key by key; it never stops the other jobs. Source:
Prometheus configuration reference.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from ingestion.collectors.prometheus.job_http import HTTP_KEYS, PLAIN, Http, read_http
from ingestion.collectors.prometheus.relabelling import Rule, read_rules, relabel

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_PART = re.compile(r"(\d+)(ms|[smhdwy])", re.ASCII)
_JOB_KEYS = HTTP_KEYS | frozenset(
    """job_name scrape_interval scrape_timeout metrics_path scheme params static_configs
    relabel_configs metric_relabel_configs honor_labels honor_timestamps""".split()
)
# They change how a target is asked, not what is collected of it.
_WITHOUT_EFFECT = frozenset(
    """enable_compression enable_http2 keep_dropped_targets scrape_protocols
    fallback_scrape_protocol track_timestamps_staleness scrape_failure_log_file""".split()
)
_GLOBAL_KEYS = frozenset("scrape_interval scrape_timeout evaluation_interval".split())
_FILE_KEYS = frozenset("global scrape_configs scrape_config_files".split())


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
    honor_labels: bool = False
    honor_timestamps: bool = True
    metric_rules: tuple[Rule, ...] = ()
    http: Http = PLAIN


@dataclass(frozen=True)
class Jobs:
    """All targets of a file, and in words what of it is not used."""

    targets: tuple[Target, ...]
    skipped: tuple[str, ...]


@dataclass
class _Read:
    """What was read so far."""

    targets: list[Target] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def name_others(self, place: str, given: Mapping[Any, Any], known: frozenset[str]) -> None:
        for key in given:
            if str(key) not in known:
                self.skipped.append(f"{place}: {key} is not supported")


class _AsWritten(yaml.SafeLoader):
    """Every value as its text: `1m`, `true` and `0123` mean what Prometheus reads."""


_NULL = ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"))
_AsWritten.yaml_implicit_resolvers = {
    "<": [("tag:yaml.org,2002:merge", re.compile(r"^(?:<<)$"))],
    **{first: [_NULL] for first in ("~", "n", "N", "")},
}


def load_jobs(path: Path) -> Jobs:
    """Read a `prometheus.yml`; raises JobsProblem when nothing of it can be used."""
    config = _content(path)
    entries = config.get("scrape_configs", [])
    files = config.get("scrape_config_files") or []
    if not isinstance(entries, list) or not isinstance(files, list) or not (entries or files):
        raise JobsProblem(f"{path} has no list scrape_configs; give a prometheus.yml.")
    defaults = config.get("global") or {}
    if not isinstance(defaults, dict):
        raise JobsProblem(f"{path}: global must be a mapping; run promtool check config on it.")
    read = _Read()
    read.name_others(path.name, config, _FILE_KEYS)
    read.name_others("global", defaults, _GLOBAL_KEYS)
    for entry in entries:
        _add(read, entry, defaults, path.parent)
    for pattern in files:
        _add_files(read, str(pattern), defaults, path.parent)
    return Jobs(tuple(read.targets), tuple(read.skipped))


def seconds(duration: str) -> float:
    """`1m30s` → 90.0; raises ValueError."""
    parts = _PART.findall(str(duration))
    if not parts or "".join(number + unit for number, unit in parts) != str(duration):
        raise ValueError(f"{duration} is not a duration such as 15s")
    return sum(int(number) * _UNITS_S[unit] for number, unit in parts)


def _content(path: Path) -> dict[str, Any]:
    try:
        config = yaml.load(path.read_bytes(), _AsWritten)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise JobsProblem(
            f"{path} cannot be read ({error.strerror}); correct collectors.prometheus_config."
        ) from None
    except (yaml.YAMLError, ValueError):
        raise JobsProblem(f"{path} is not YAML; run promtool check config on it.") from None
    if not isinstance(config, dict):
        raise JobsProblem(f"{path} has no list scrape_configs; give a prometheus.yml.")
    return config


def _add_files(read: _Read, pattern: str, defaults: dict[str, Any], folder: Path) -> None:
    found = sorted(glob(str(folder / pattern)))  # noqa: PTH207 - patterns may be absolute
    if not found:
        read.skipped.append(f"scrape_config_files: no file is called {pattern}")
    for name in found:
        try:
            content = _content(Path(name))
        except JobsProblem as problem:
            read.skipped.append(f"scrape_config_files: {problem}")
            continue
        read.name_others(Path(name).name, content, frozenset({"scrape_configs"}))
        entries = content.get("scrape_configs") or []
        for entry in entries if isinstance(entries, list) else [entries]:
            _add(read, entry, defaults, Path(name).parent)


def _add(read: _Read, job: Any, defaults: dict[str, Any], folder: Path) -> None:
    """The targets of one job, or why it has none."""
    name = (job.get("job_name") if isinstance(job, dict) else None) or "unnamed"
    try:
        if not isinstance(job, dict) or not job.get("job_name"):
            raise ValueError("a job needs job_name")
        # All or nothing: half of a job's targets would look like the whole.
        read.targets += list(_targets(job, defaults, folder))
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        what = "lacks" if isinstance(error, KeyError) else type(error).__name__
        read.skipped.append(f"{name}: {what} {error}")
        return
    read.name_others(name, job, _JOB_KEYS | _WITHOUT_EFFECT)


def _targets(job: dict[str, Any], defaults: dict[str, Any], folder: Path) -> Iterator[Target]:
    rules = read_rules(job.get("relabel_configs"))
    metric_rules = read_rules(job.get("metric_relabel_configs"))
    params = _params(job)
    http, headers = read_http(job, folder)
    for labels in _addresses(job, defaults, params):
        made = relabel(labels, rules)
        if made is None or not made.get("__address__"):
            continue
        kept = {k: v for k, v in made.items() if not k.startswith("__")}
        interval_s = seconds(made["__scrape_interval__"])
        if not interval_s:
            raise ValueError("scrape_interval must be more than 0s")
        yield Target(
            job=kept.pop("job"),
            instance=kept.pop("instance", made["__address__"]),
            url=_url(made, params),
            interval_s=interval_s,
            # A timeout above the interval would let scrapes of one target overlap.
            timeout_s=min(seconds(made["__scrape_timeout__"]), interval_s),
            labels=kept,
            headers=headers,
            honor_labels=_is_true(job, "honor_labels", default=False),
            honor_timestamps=_is_true(job, "honor_timestamps", default=True),
            metric_rules=metric_rules,
            http=http,
        )


def _addresses(
    job: dict[str, Any], defaults: dict[str, Any], params: dict[str, list[str]]
) -> Iterator[dict[str, str]]:
    """The labels of every target before relabelling."""
    interval = job.get("scrape_interval") or defaults.get("scrape_interval") or "1m"
    timeout = job.get("scrape_timeout") or defaults.get("scrape_timeout") or "10s"
    for group in job.get("static_configs") or ():
        if unknown := sorted(set(group) - {"targets", "labels"}):
            raise ValueError(f"static_configs: {', '.join(unknown)} is not supported")
        if not isinstance(group["targets"], list):
            raise ValueError("targets must be a list")
        for address in group["targets"]:
            yield {
                "job": str(job["job_name"]),
                "__address__": str(address),
                "__scheme__": job.get("scheme") or "http",
                "__metrics_path__": job.get("metrics_path") or "/metrics",
                "__scrape_interval__": str(interval),
                "__scrape_timeout__": str(timeout),
                **{f"__param_{name}": values[0] for name, values in params.items()},
                **{str(k): str(v) for k, v in (group.get("labels") or {}).items()},
            }


def _params(job: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, values in (job.get("params") or {}).items():
        if not isinstance(values, list):
            raise ValueError(f"params: {name} must be a list")
        if values:
            found[str(name)] = [str(value) for value in values]
    return found


def _url(labels: dict[str, str], params: dict[str, list[str]]) -> str:
    """The address with every value of every parameter; relabelling decides the first of each."""
    chosen = {k.removeprefix("__param_"): v for k, v in labels.items() if k.startswith("__param_")}
    names = [*params, *(name for name in chosen if name not in params)]
    query = {name: [chosen[name]] if name in chosen else [] for name in names}
    for name, values in params.items():
        query[name] += values[1:]
    asked = f"?{urlencode(query, doseq=True)}" if any(query.values()) else ""
    return f"{labels['__scheme__']}://{labels['__address__']}{labels['__metrics_path__']}{asked}"


def _is_true(job: dict[str, Any], key: str, *, default: bool) -> bool:
    text = str(job.get(key, default)).lower()
    if text not in {"true", "false"}:
        raise ValueError(f"{key} must be true or false")
    return text == "true"
