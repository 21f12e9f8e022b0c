"""What an empty home greets with: three steps that tick themselves off, and what comes next.

Here: the steps with this home's own addresses. Not here: whether a step is done (`readings/arriving`).
"""

from collections.abc import Sequence

import streamlit as st

from ingestion.settings import Settings
from streamlit_app.components import markup
from streamlit_app.readings.arriving.beginnings import Beginnings

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - told, not bound
_CHANNEL = """# alerting.yaml
channels:
  team: {type: webhook, url: "https://hooks.example.org/tta"}
receivers:
  - {name: default, channels: [team]}
route: {receiver: default}
"""
_DEMO = "./tta.sh monitor down\n./tta.sh monitor up --demo"
_NAMED = 4
_NEXT = (
    ("Alerts", "alerts", "what is wrong now, who was told, and who is next"),
    ("Performance", "performance", "which route is slow, and since when"),
    ("Errors", "errors", "which errors are new, and in which release"),
)


def first_run(found: Beginnings, settings: Settings) -> None:
    """The three steps, each with what ticks it off."""
    st.html(
        '<p class="tta-verdict tta-info">'
        f"{markup.symbol('rocket_launch')} <b>Nothing has arrived yet.</b> Three steps, about five minutes; "
        "each ticks itself off when it is done.</p>"
    )
    with _step(1, "Point a component here", is_done=bool(found.components), what=found.components):
        if not found.components:
            _snippets(_endpoint(settings), settings)
    left, right = st.columns(2)
    with left, _step(2, "See the first request", is_done=found.has_request):
        if not found.has_request:
            st.caption("Use the component, or send one request by hand:")
            st.code(_by_hand(_endpoint(settings)), language="bash")
    with right, _step(3, "Set an alert channel", is_done=bool(found.channels), what=found.channels):
        if not found.channels:
            st.caption(f"In {settings.home / 'alerting.yaml'}; taken within seconds. Then try it:")
            st.code(_CHANNEL, language="yaml")
            st.code("./tta.sh monitor alerts channel-test team", language="bash")
    _further()


def _step(
    number: int, title: str, *, is_done: bool, what: Sequence[str] = ()
) -> st.delta_generator.DeltaGenerator:
    box = st.container(border=True, key=f"first-{number}")
    done = ": ".join(["done", ", ".join(what[:_NAMED])] if what else ["done"])
    state = markup.pill("ok", done) if is_done else markup.pill("unknown", "waiting")
    box.html(
        f'<h2 class="tta-heading"><span class="tta-count">{number}</span> {markup.text(title)} '
        f"<small>{state}</small></h2>"
    )
    return box


def _endpoint(settings: Settings) -> str:
    receiver = settings.receiver
    host = "127.0.0.1" if receiver.host in _EVERYWHERE else receiver.host
    return f"http://{host}:{receiver.http_port}"


def _snippets(endpoint: str, settings: Settings) -> None:
    for place, (language, text) in zip(
        st.tabs(list(snippets(endpoint, settings))),
        snippets(endpoint, settings).values(),
        strict=True,
    ):
        place.code(text, language=language)


def snippets(endpoint: str, settings: Settings) -> dict[str, tuple[str, str]]:
    """How to send here, by what a component is written in: language of the text, and the text."""
    config = settings.home / "config.yaml"
    where = endpoint.removeprefix("http://")
    return {
        "Python": (
            "bash",
            "pip install opentelemetry-distro opentelemetry-exporter-otlp\n"
            "opentelemetry-bootstrap -a install\n"
            f"OTEL_SERVICE_NAME=player-api OTEL_EXPORTER_OTLP_ENDPOINT={endpoint} \\\n"
            "    opentelemetry-instrument uvicorn app:app",
        ),
        "JavaScript": (
            "bash",
            "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node\n"
            f"OTEL_SERVICE_NAME=player-web OTEL_EXPORTER_OTLP_ENDPOINT={endpoint} \\\n"
            "    node --require @opentelemetry/auto-instrumentations-node/register app.js",
        ),
        "Sentry": ("bash", f"SENTRY_DSN=http://player-api@{where}/1"),
        "Logs": (
            "yaml",
            f"# {config}, then ./tta.sh monitor down and up\n"
            "collectors:\n  log_files:\n"
            '    - {glob: "/var/log/tta/*.log", component: agent-orchestration}',
        ),
        "Prometheus": (
            "yaml",
            f"# {config}, then ./tta.sh monitor down and up\n"
            "collectors:\n  prometheus_config: /etc/prometheus/prometheus.yml",
        ),
    }


def _by_hand(endpoint: str) -> str:
    """A request of half a second that ended just now, as OTLP/JSON."""
    return (
        "now=$(date +%s)\n"
        f"curl {endpoint}/v1/traces -H 'Content-Type: application/json' -d '{{\"resourceSpans\": [{{\n"
        '  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "player-api"}}]},\n'
        '  "scopeSpans": [{"spans": [{"traceId": "\'$(openssl rand -hex 16)\'",\n'
        '    "spanId": "\'$(openssl rand -hex 8)\'",\n'
        '    "name": "GET /hello", "kind": 2,\n'
        '    "startTimeUnixNano": "\'$((now - 1))\'500000000", "endTimeUnixNano": "\'$now\'000000000",\n'
        '    "attributes": [{"key": "http.request.method", "value": {"stringValue": "GET"}},\n'
        '      {"key": "http.route", "value": {"stringValue": "/hello"}},\n'
        '      {"key": "http.response.status_code", "value": {"intValue": "200"}}]}]}]}]}\''
    )


def _further() -> None:
    with st.container(border=True, key="first-next"):
        st.html('<h2 class="tta-heading">Or look around first</h2>')
        st.caption("Demo data: a captured hour as history, then simulated traffic with one outage.")
        st.code(_DEMO, language="bash")
        links = " · ".join(
            f"{markup.link(title, f'/{page}')} {markup.text(words)}" for title, page, words in _NEXT
        )
        st.html(f'<p class="tta-quiet">What comes next: {links}</p>')
