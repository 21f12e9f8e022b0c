"""The receiver process: `python -m ingestion.receivers [--home DIR]`."""

import argparse
import asyncio
import resource
import sys

import uvicorn

from ingestion.doors.known_hosts import KnownHosts
from ingestion.doors.service_token import RECEIVER, service_token
from ingestion.doors.turned_away import TurnedAway
from ingestion.processes.entry import run_process
from ingestion.processes.lean import without_pandas
from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.new_values import ValueLimits
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.receivers.committing.self_report import report_failed_detector
from ingestion.receivers.decoding.budget import BodyBudget
from ingestion.receivers.decoding.warm_up import give_back_memory
from ingestion.receivers.doors.grpc import PortTaken, start_grpc
from ingestion.receivers.doors.http import build_app
from ingestion.receivers.doors.one_port import OnePortProtocol
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.audit.audit_log import AuditLog
from privacy.detection import identity
from privacy.detection.without_names import without_names
from privacy.gate.allow_list import PolicyProblem
from privacy.keys.key_store import KeyStore
from privacy.process_log.log import logger
from privacy.site_policy import PolicyWatch

_CONNECTIONS = 65_536
_log = logger()


def main() -> int:
    """Run until SIGTERM; exit code 2 when settings, keys, policy or ports are wrong."""
    return run_process("receiver", __doc__, _work, problems=(PolicyProblem, PortTaken))


def _work(settings: Settings, _: argparse.Namespace) -> None:
    without_pandas()
    without_names()
    _allow_connections()
    keys = KeyStore.open(settings.home)
    # uvicorn chooses uvloop where there is one; as a part of our own loop it cannot.
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(serve(settings, keys))


def _allow_connections() -> None:
    """As many open files as this user may have: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, _CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve(settings: Settings, keys: KeyStore) -> None:
    """Both doors on one event loop, one commit thread behind them."""
    identity.set_floor(settings.gate.canary_floor)
    policy = PolicyWatch(settings.home)
    receiver = settings.receiver
    spool = Spool(settings.spool_path, keys)
    budget, limits = BodyBudget.of(receiver), ValueLimits.of(receiver)
    pipeline = Pipeline(spool, keys, policy, budget, limits)
    committer = Committer(
        pipeline, group_ms=receiver.group_commit_ms, max_pending_bytes=receiver.max_pending_bytes
    )
    pipeline.warm_up()
    give_back_memory()
    committer.start()
    grpc_server = await start_grpc(committer, pipeline, receiver)
    turned_away = TurnedAway("receiver", AuditLog(settings.home, keys))
    app = KnownHosts(
        build_app(
            committer, pipeline, receiver, turned_away, own_token=service_token(keys, RECEIVER)
        ),
        [receiver.host, *receiver.hosts],
        setting="receiver.hosts",
        origins=receiver.browser_origins,
        note=turned_away.note,
    )
    OnePortProtocol.grpc_port = receiver.grpc_port
    config = uvicorn.Config(
        app,
        http=OnePortProtocol,
        host=receiver.host,
        port=receiver.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        lifespan="off",
    )
    _log.info("receiver starts", http_port=receiver.http_port, grpc_port=receiver.grpc_port)
    report = asyncio.create_task(report_failed_detector(committer))
    await uvicorn.Server(config).serve()
    report.cancel()
    await grpc_server.stop(grace=5)
    await committer.close()
    _log.info("receiver stopped")


if __name__ == "__main__":
    sys.exit(main())
