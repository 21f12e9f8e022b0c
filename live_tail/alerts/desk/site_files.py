"""The files by which a site configures its home: which there are, and why one is not taken.

Here: the list of them, their checks, and looking at them while the live tail runs: for the alert, and for
the entry that a change leaves. Not here: what each file says (the rooms that read them), the alert (`own`).
Every check imports what it needs when there is something to check.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingestion.settings import Settings, SettingsProblem, load_settings
from privacy.audit.file_changes import FileChanges

_LOOK_S, _CHECK_AGAIN_S = 2.0, 60.0
_PREFIX, _NOT_SETTINGS = "TTA_MONITOR_", frozenset({"TTA_MONITOR_HOME"})


@dataclass(frozen=True)
class SiteFile:
    """One file, or a folder of them. `problem` says in words why it is not taken; empty when it is.

    One that is expected is checked even where it is not there.
    """

    paths: Callable[[Settings], list[Path]]
    problem: Callable[[Settings], str]
    is_expected: bool = False


def wrong_files(settings: Settings) -> dict[str, str]:
    """Why files are not taken, by name: `config.yaml`, `policy.yaml` and so on."""
    try:
        now = load_settings(settings.home)
    except SettingsProblem as problem:
        found, now = {"config.yaml": str(problem)}, settings
    else:
        found = {}
    for name, file in SITE_FILES.items():
        is_there = any(path.exists() for path in file.paths(now))
        if name not in found and (is_there or file.is_expected):
            problem_now = file.problem(now)
            if problem_now:
                found[name] = problem_now
    return found


class SiteFiles:
    """The files of a home while the live tail runs: `wrong` says why some are not taken, by name."""

    def __init__(
        self,
        settings: Settings,
        changes: FileChanges,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._changes, self._monotonic = settings, changes, monotonic
        self._stamps: dict[str, object] = {}
        self._looked_s = self._checked_s = float("-inf")
        self.wrong: Mapping[str, str] = {}

    def look(self) -> None:
        """Look, unless that was just done: files that changed are noted and all are checked.

        They are checked once a minute in any case: what a file names may change without it.
        """
        now_s = self._monotonic()
        if now_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        files = dict(_files(self._settings))
        stamps = {name: _stamp(path) for name, path in files.items()}
        if stamps == self._stamps and now_s - self._checked_s < _CHECK_AGAIN_S:
            return
        self._changes.look(_contents(files))
        self.wrong = wrong_files(self._settings)
        self._stamps, self._checked_s = stamps, now_s


def _files(settings: Settings) -> list[tuple[str, Path]]:
    found = []
    for name, file in SITE_FILES.items():
        for path in file.paths(settings):
            found.append((f"{name}/{path.name}" if name == "rules" else name, path))
    return found


def _contents(files: Mapping[str, Path]) -> dict[str, bytes]:
    """Files and the environment's settings, by name; what cannot be read counts as not there."""
    found = {
        name: value.encode()
        for name, value in os.environ.items()
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS
    }
    for name, path in files.items():
        try:
            found[name] = path.read_bytes()
        except OSError:
            continue
    return found


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _config(settings: Settings) -> str:
    from privacy.retention.retention_policy import RetentionProblem, load_policy  # noqa: PLC0415

    try:
        load_policy(settings.retention.rules)
    except RetentionProblem as problem:
        return str(problem)
    return ""


def _policy(settings: Settings) -> str:
    from privacy.gate.allow_list import PolicyProblem  # noqa: PLC0415
    from privacy.site_policy import load_site_policy  # noqa: PLC0415

    try:
        load_site_policy(settings.home)
    except PolicyProblem as problem:
        return str(problem)
    return ""


def _alerting(settings: Settings) -> str:
    from live_tail.alerts.notify.notify_policy import PolicyProblem, load_policy  # noqa: PLC0415

    try:
        load_policy(settings.home, settings.alerting.webhook_url)
    except PolicyProblem as problem:
        return str(problem)
    return ""


def _errors(settings: Settings) -> str:
    from ingestion.meaning.errors.grouping import RulesProblem, load_site  # noqa: PLC0415

    try:
        load_site(settings.home / "errors.yaml")
    except RulesProblem as problem:
        return str(problem)
    return ""


def _rules(settings: Settings) -> str:
    from live_tail.alerts.rules.rule_files import SHIPPED, RuleProblem, load_rules  # noqa: PLC0415

    try:
        load_rules([SHIPPED, settings.home / "rules"])
    except RuleProblem as problem:
        return str(problem)
    return ""


def _jobs(settings: Settings) -> str:
    from ingestion.collectors.prometheus.jobs import JobsProblem, load_jobs  # noqa: PLC0415

    path = settings.collectors.prometheus_config
    try:
        if path is not None:
            load_jobs(path)
    except JobsProblem as problem:
        return str(problem)
    return ""


def _client_secret(settings: Settings) -> str:
    from ingestion.doors.client_secret import client_secret  # noqa: PLC0415

    try:
        if settings.access.oidc.issuer:
            client_secret(settings.access.oidc)
    except SettingsProblem as problem:
        return str(problem)
    return ""


def _in_home(name: str) -> Callable[[Settings], list[Path]]:
    return lambda settings: [settings.home / name]


def _set_path(path: Path | None) -> list[Path]:
    return [] if path is None else [path]


SITE_FILES: dict[str, SiteFile] = {
    "config.yaml": SiteFile(_in_home("config.yaml"), _config, is_expected=True),
    "policy.yaml": SiteFile(_in_home("policy.yaml"), _policy),
    "alerting.yaml": SiteFile(_in_home("alerting.yaml"), _alerting),
    "errors.yaml": SiteFile(_in_home("errors.yaml"), _errors),
    "rules": SiteFile(lambda s: sorted((s.home / "rules").glob("*.y*ml")), _rules),
    "prometheus_config": SiteFile(
        lambda s: _set_path(s.collectors.prometheus_config), _jobs, is_expected=True
    ),
    "client_secret_file": SiteFile(
        lambda s: _set_path(s.access.oidc.client_secret_file), _client_secret, is_expected=True
    ),
}
"""By the name under which a problem is told; the last two are named by settings."""
