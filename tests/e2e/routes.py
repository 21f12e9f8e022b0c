"""The one list of routes by which a text can come in or go out; a later route joins it here.

Here: which there are, in the order in which they are walked. Each sender returns the doors it went through
(`doors`); `test_every_route` fails when a door exists that nobody used. Not here: sending
(`routes_telemetry`, `routes_people`, `routes_operators`) and looking for the texts.
"""

from tests.e2e import routes_operators, routes_people, routes_telemetry
from tests.e2e.stage import Sender

ROUTES: tuple[Sender, ...] = (
    routes_telemetry.otlp_http,
    routes_telemetry.otlp_grpc,
    routes_telemetry.refused_bodies,
    routes_telemetry.sentry,
    routes_telemetry.collectors,
    routes_people.live_api,
    routes_people.notifications,
    routes_people.app,
    routes_operators.failing_processes,
    routes_operators.aborted_receiver,
    routes_operators.failing_run,
    routes_operators.command_line,
    # After the runs that failed: what Dagster keeps of them is looked at there.
    routes_people.dagster_page,
)
