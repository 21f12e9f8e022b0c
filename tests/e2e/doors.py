"""Every door that exists in the code, by name: what the list of routes must cover.

Here: asking the code itself (HTTP and gRPC paths, collectors, live API, app, processes, commands,
channels). Not here: how a text travels through a door (`routes`).
"""

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from dagster_project.process.page_rules import PREFIX
from ingestion.collectors import __path__ as collectors_path
from ingestion.receivers.doors import grpc as grpc_door
from ingestion.receivers.doors import http, sentry
from ingestion.settings import load_settings
from live_tail.alerts.notify.notify_policy import Channel
from live_tail.http.live_api import build_app
from streamlit_app.page_files import FILES
from streamlit_app.sign_in.entrance import routes as app_routes
from tta_monitor.cli import app
from tta_monitor.running.programs import programs


def doors() -> set[str]:
    """`<kind> <name>` of every door."""
    found = {f"http {route.path}" for route in http._other_routes(*_NOBODY).routes}
    found |= {f"http {path}" for path in http.PATHS}
    (forms,) = re.findall(r"\((\w+(?:\|\w+)+)\)", sentry.PATH.pattern)
    found |= {f"sentry {form}" for form in forms.split("|")}
    found |= {f"grpc {method}" for method in grpc_door.METHODS}
    found |= {f"collector {name}" for name in _modules(collectors_path[0])}
    found |= {f"live {method} {path}" for method, path in live_routes()}
    found |= {f"app {route.path}" for route in app_routes()} | {f"app {PREFIX}"}
    found |= {f"page {name}" for name in FILES}
    found |= {f"process {name}" for name in processes()}
    found |= {f"command {' '.join(path)}" for path, _ in commands()}
    found |= {f"channel {kind}" for kind in get_args(get_type_hints(Channel)["type"])}
    return found


_NOBODY: Any = (None, None)


def live_routes() -> list[tuple[str, str]]:
    """(method, path) of the live API, alerts included."""
    built = build_app(*_NOBODY, manager=object())  # type: ignore[arg-type]
    return [
        (method, route.path)
        for route in built.routes
        for method in sorted(route.methods - {"HEAD"})
    ]


def processes() -> list[str]:
    """What `up` starts, everything chosen."""
    return [p.name for p in programs(load_settings(), demo=True, headless=False)]


def commands() -> list[tuple[list[str], Any]]:
    """(words, command) of every command."""
    return list(_below(typer.main.get_command(app), []))


def _below(command: Any, words: list[str]) -> Any:
    for name, below in getattr(command, "commands", {}).items():
        if hasattr(below, "commands"):
            yield from _below(below, [*words, name])
        else:
            yield [*words, name], below


def _modules(folder: str) -> list[str]:
    return sorted(f.stem for f in Path(folder).rglob("*.py") if not f.stem.startswith("__"))
