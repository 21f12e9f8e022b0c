"""The live tail process: `python -m live_tail [--home DIR]`."""

import argparse
import sys
import threading
from datetime import UTC, datetime, timedelta

import uvicorn

from ingestion.doors.known_hosts import KnownHosts
from ingestion.doors.plain_http import PlainProtocol
from ingestion.doors.turned_away import TurnedAway
from ingestion.lake.duck import open_published
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.meaning.errors.grouping import WatchedSite
from ingestion.processes.entry import run_process
from ingestion.processes.lean import without_pandas
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.desk.service import AlertService
from live_tail.alerts.desk.site_files import SiteFiles
from live_tail.alerts.reading.rule_sources import Sources, group_changes
from live_tail.alerts.reading.seasons import Hours
from live_tail.alerts.rules.curves import Curves
from live_tail.alerts.rules.rounds import DueRounds
from live_tail.alerts.rules.rule_files import SHIPPED, RuleFolders
from live_tail.http.access import Door
from live_tail.http.live_api import build_app
from live_tail.window.error_groups import HotErrors
from live_tail.window.follow import Follower
from live_tail.window.minutes import Minutes
from live_tail.window.opened import Opened
from live_tail.window.window import Window
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.audit.file_changes import FileChanges
from privacy.keys.key_store import KeyStore
from privacy.process_log.log import logger

_log = logger()
_MAX_ERRORS = 2_000


def main() -> int:
    """Run until SIGTERM; exit code 2 when settings or keys are wrong."""
    return run_process("live tail", __doc__, _work)


def _work(settings: Settings, _: argparse.Namespace) -> None:
    without_pandas()
    serve(settings, KeyStore.open(settings.home))


def serve(settings: Settings, keys: KeyStore) -> None:
    """Follow the spool in one thread, answer queries in this one."""
    site = WatchedSite(settings.home / "errors.yaml")
    hot_errors = HotErrors(
        ErrorStore(settings.home, keys),
        site=site,
        version=settings.errors.grouping_version,
    )
    window = Window(
        minutes=settings.live.window_minutes,
        max_errors=_MAX_ERRORS,
        clock=_now,
        history=Minutes(settings.home, keys),
        hot_errors=hot_errors,
    )
    opened = Opened()
    follower = Follower(
        Spool(settings.spool_path, keys),
        window,
        fresh_ms=settings.live.fresh_ms,
        opened=opened,
    )
    thread = threading.Thread(target=follower.run, name="follow", daemon=True)
    thread.start()
    sources = Sources(
        window,
        groups=lambda since: group_changes(window, since),
        marts=lambda: open_published(settings, "operations"),
        hours=Hours(settings.home, keys),
    )
    folders = RuleFolders([SHIPPED, settings.home / "rules"])
    log = AuditLog(settings.home, keys)
    files = SiteFiles(settings, FileChanges(log, keys))
    rounds = DueRounds(sources, folders, clock=_now)
    # Sources of their own: what rounds remember of series is for one thread.
    reach = timedelta(minutes=settings.live.window_minutes)
    curves = Curves(Sources(window), lambda: rounds.rules, reach)
    alerts = AlertService(
        settings,
        keys,
        rounds,
        spool=Spool(settings.spool_path, keys),
        opened=opened,
        follower=follower,
        error_rules_problem=lambda: site.problem,
        files=files,
    )
    alerts.start()
    _log.info("live tail starts", port=settings.live.port)
    turned_away = TurnedAway("live", log)
    uvicorn.run(
        KnownHosts(
            Door(
                build_app(window, follower, alerts.manager, turned_away, curves),
                keys,
                log,
                Identities(settings.home, keys, log),
                is_open=settings.access.sign_in == "off",
            ),
            [settings.live.host, *settings.live.hosts],
            setting="live.hosts",
            note=turned_away.note,
        ),
        http=PlainProtocol,
        host=settings.live.host,
        port=settings.live.port,
        log_config=None,
        access_log=False,
        server_header=False,
    )
    alerts.stop()
    follower.stop()
    thread.join(timeout=5)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
