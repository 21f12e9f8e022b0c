"""Every port on which the product listens, tried by everybody who should not come in.

Without a session, with each role, with sessions that are over, as a page of another site in a real browser,
and as another user of the machine. What single doors do is in `tests/streamlit_app` and `tests/ingestion`.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from privacy.access.access_policy import Right, Role, load_policy
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from streamlit_app.sign_in.doorman import COOKIE
from tests.browser import enter, needs_browser
from tests.e2e.operator import Operator
from tests.second_user import as_second_user, needs_root
from tests.visitors import InChromium, chromium, is_at, reads, site, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PASSWORD = "correct horse battery staple"
CHANGE = "mutation{reloadWorkspace{__typename}}"
OVER = ["nobody", "a guess", "signed out", "password changed", "disabled", "expired"]


@dataclass
class Product:
    """Everything that `up` starts, and what a test looks at from inside."""

    operator: Operator
    home: Path

    @property
    def app(self) -> str:
        return f"http://127.0.0.1:{self.port('APP__PORT')}"

    def port(self, name: str) -> int:
        return self.operator.ports[name]

    @property
    def log(self) -> AuditLog:
        return AuditLog(self.home, KeyStore.open(self.home))

    @property
    def identities(self) -> Identities:
        return Identities(self.home, KeyStore.open(self.home), self.log)

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TTA_MONITOR_HOME") == str(self.home):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def listening(self) -> set[tuple[str, int]]:
        """(address, port) of every TCP port."""
        return {
            (str(c.laddr[0]).removeprefix("::ffff:"), int(c.laddr[1]))
            for process in self.processes()
            for c in process.net_connections("tcp")
            if c.status == psutil.CONN_LISTEN
        }

    def sockets(self) -> set[Path]:
        """Every Unix socket that has a place."""
        names = {str(c.laddr) for p in self.processes() for c in p.net_connections("unix")}
        return {Path(name) for name in names if name and Path(name).exists()}

    def http_ports(self) -> list[int]:
        return sorted({port for _, port in self.listening()} - {self.port("RECEIVER__GRPC_PORT")})

    def changes(self) -> int:
        """How many changes Dagster was asked for."""
        return len(self.log.entries(action="access.action", target="dagster.change", limit=1_000))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    home = tmp_path_factory.mktemp("ports") / "home"
    operator = Operator(home)
    try:
        started = operator.types("up", "--detach")
        assert started.returncode == 0 and "not ready" not in started.stdout, started
        yield Product(operator, home)
    finally:
        operator.types("down")


def session(product: Product, how: str) -> str | None:
    """The secret of a session of somebody's, or of one that is over; None without one."""
    if how in {"nobody", "a guess"}:
        return None if how == "nobody" else "guess"
    identities, name = product.identities, f"{how} {os.urandom(4).hex()}"
    role = Role(how) if how in set(Role) else Role.ADMIN
    identities.accounts.add(name, PASSWORD, role, by="os:owner")
    hours = 1 if how != "expired" else 1e-6
    secret = identities.sessions.sign_in(name, PASSWORD, hours=hours)
    if how == "signed out":
        identities.sessions.sign_out(secret)
    elif how == "password changed":
        identities.accounts.change(name, by="os:owner", password=f"{PASSWORD} anew")
    elif how == "disabled":
        identities.accounts.change(name, by="os:owner", is_disabled=True)
    return secret


def knocks(port: int, secret: str | None, **headers: str) -> dict[str, int]:
    """Status of each thing that a stranger tries at a port."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        client.headers.update(headers)
        if secret:
            client.cookies.set(COOKIE, secret)
        ask = {"query": CHANGE}
        return {
            "page": client.get("/", headers={"accept": "text/html"}).status_code,
            "live": client.get("/api/v1/query/components").status_code,
            "old graphql by address": client.get("/graphql", params=ask).status_code,
            "old graphql": client.post("/graphql", json=ask).status_code,
            "graphql by address": client.get("/dagster/graphql", params=ask).status_code,
            "graphql by form": client.post("/dagster/graphql", data=ask).status_code,
            "graphql": client.post("/dagster/graphql", json=ask).status_code,
            "dagster": client.get("/dagster/runs", headers={"accept": "text/html"}).status_code,
        }


def hears_dagster(port: int, secret: str | None) -> bool:
    """Whether a websocket at Dagster's address is answered by Dagster."""
    cookie = {"Cookie": f"{COOKIE}={secret}"} if secret else {}
    try:
        with connect(
            f"ws://127.0.0.1:{port}/dagster/graphql",
            subprotocols=["graphql-ws"],  # type: ignore[list-item]
            additional_headers=cookie,
        ) as wire:
            wire.send(json.dumps({"type": "connection_init", "payload": {}}))
            return json.loads(wire.recv(timeout=30))["type"] == "connection_ack"
    except (WebSocketException, OSError, ValueError):
        return False


def test_it_listens_where_the_settings_say_on_loopback_and_nowhere_else(product: Product) -> None:
    expected = {("127.0.0.1", port) for port in product.operator.ports.values()}
    assert product.listening() == expected
    sockets = product.sockets()
    assert product.home / "run" / "dagster.sock" in sockets
    for path in sockets:
        about = path.stat()
        assert about.st_mode & 0o077 == 0 and about.st_uid == os.getuid(), path


@pytest.mark.parametrize("how", OVER)
def test_nobody_gets_anything_without_a_session_that_lasts(product: Product, how: str) -> None:
    before, secret = product.changes(), session(product, how)
    for port in product.http_ports():
        said = knocks(port, secret)
        assert not [what for what, status in said.items() if status < 300], (port, said)
        assert not hears_dagster(port, secret)
    assert product.changes() == before


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_what_the_policy_lists_at_the_app_and_nothing_at_other_ports(
    product: Product, role: Role
) -> None:
    before, secret = product.changes(), session(product, role)
    looks = load_policy().allows(frozenset({role}), Right.PAGE, "dagster")
    for port in product.http_ports():
        said = knocks(port, secret)
        is_app = port == product.port("APP__PORT")
        assert hears_dagster(port, secret) == (is_app and looks)
        if not is_app:
            assert not [what for what, status in said.items() if status < 300], (port, said)
            continue
        assert said["page"] == 200
        assert (said["dagster"], said["graphql"]) == ((200, 200) if looks else (403, 403))
        assert said["graphql by address"] == (405 if looks else 403)
        assert said["graphql by form"] == (415 if looks else 403)
    assert product.changes() - before == looks
    if looks:
        (entry,) = product.log.entries(action="access.action", target="dagster.change", limit=1)
        assert (entry.outcome, entry.details["verb"]) == ("done", "reloadWorkspace")


@pytest.mark.parametrize(
    "said",
    [{"host": "evil.example"}, {"host": "localhost.evil.example:1"}, {"host": "evil.example:4318"}],
)
def test_no_port_answers_under_a_foreign_name(product: Product, said: dict[str, str]) -> None:
    secret = session(product, Role.ADMIN)
    for port in product.http_ports():
        assert set(knocks(port, secret, **said).values()) == {421}
    doors = {e.target for e in product.log.entries(action="access.door", limit=100)}
    assert doors == {"receiver", "live", "app"}


_FOREIGN_PAGE = """<!doctype html><title>Win a prize</title><body><script>
const change = "%(change)s", tried = [], heard = [];
const address = (port, path) => `http://127.0.0.1:${port}${path}`;
const query = "?query=" + encodeURIComponent(change);
const json = JSON.stringify({query: change});
function image(url) {
  return new Promise((done) => { const one = new Image(); one.onload = one.onerror = done; one.src = url; });
}
function form(url, kind) {
  return new Promise((done) => {
    const frame = document.createElement("iframe"); frame.name = "f" + Math.random();
    document.body.append(frame);
    const sent = document.createElement("form");
    sent.method = "post"; sent.action = url; sent.target = frame.name; sent.enctype = kind;
    const field = document.createElement("input");
    field.name = kind === "text/plain" ? '{"query":"' + change + '","x":"' : "query";
    field.value = kind === "text/plain" ? '"}' : change;
    sent.append(field); document.body.append(sent); sent.submit();
    setTimeout(done, 700);
  });
}
function wire(url, spoken, said) {
  return new Promise((done) => {
    const one = new WebSocket(url, spoken);
    one.onopen = () => one.send(said);
    one.onmessage = (told) => { heard.push([url, String(told.data).slice(0, 80)]); };
    one.onclose = done; setTimeout(done, 5000);
  });
}
async function ask(url, how) {
  try {
    const answer = await fetch(url, how);
    if (answer.type !== "opaque") heard.push([url, answer.status]);
  } catch (refused) { tried.push([url, String(refused)]); }
}
(async () => {
  for (const port of %(ports)s) for (const path of ["/dagster/graphql", "/graphql"]) {
    const url = address(port, path);
    await image(url + query);
    for (const credentials of ["include", "omit"]) {
      await ask(url + query, {mode: "no-cors", credentials});
      await ask(url + query, {mode: "no-cors", method: "POST", credentials});
      for (const kind of ["text/plain", "text/plain; x=application/json", "application/x-www-form-urlencoded"])
        await ask(url, {mode: "no-cors", method: "POST", credentials, body: json, headers: {"content-type": kind}});
      await ask(url, {method: "POST", credentials, body: json, headers: {"content-type": "application/json"}});
    }
    for (const kind of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
      await form(url + query, kind);
    await wire(url.replace("http", "ws"), ["graphql-ws"], '{"type":"connection_init","payload":{}}');
  }
  await wire(address(%(app)d, "/_stcore/stream").replace("http", "ws"), ["streamlit"], "");
  for (const path of ["/v1/traces", "/v1/logs", "/api/1/envelope/?sentry_key=guest", "/api/1/store/?sentry_key=guest"])
    await ask(address(%(receiver)d, path), {mode: "no-cors", method: "POST", body: %(event)s});
  window.heard = heard; window.over = true;
})();
</script>"""
_EVENT = (
    '{}\n{"type":"event"}\n{"event_id":"' + "a" * 32 + '","message":"x","platform":"javascript"}\n'
)


@contextmanager
def foreign_site(product: Product) -> Iterator[int]:
    """A site on this machine whose page tries to use whoever looks at it; its port."""
    page = _FOREIGN_PAGE % {
        "change": CHANGE,
        "ports": product.http_ports(),
        "app": product.port("APP__PORT"),
        "receiver": product.port("RECEIVER__HTTP_PORT"),
        "event": json.dumps(_EVENT),
    }

    with site(page.encode()) as port:
        yield port


def received(product: Product) -> dict[str, int]:
    """Log records and events that arrived from others than the product itself, by component."""
    rows = product.operator.live("platform")
    return {
        row["component"]: row["arrived_items"]
        for row in rows
        if row["signal"] == "logs" and not row["component"].startswith("tta-monitor")
    }


@needs_browser
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
def test_a_page_of_another_site_changes_nothing_and_hears_nothing(
    product: Product, host: str
) -> None:
    with chromium("--host-resolver-rules=MAP evil.example 127.0.0.1") as running:
        page = running.browser.new_page()
        enter(page, f"{product.app}/dagster/runs", product.home, Role.ADMIN)
        visitor = InChromium(page)
        reads(visitor, until="Runs")
        before, items = product.changes(), received(product)
        with foreign_site(product) as port:
            visitor.opens(f"http://{host}:{port}/")
            wait_for(partial(visitor.runs, "window.over || null"), lambda: "still trying", 240)
            assert visitor.runs("window.heard") == []
        assert (product.changes(), received(product)) == (before, items)
        # The same change from our own page: what was looked at does show it.
        visitor.opens(f"{product.app}/dagster/runs")
        sent = {"method": "POST", "headers": {"content-type": "application/json"}}
        body = json.dumps({"query": CHANGE})
        asked = f"fetch('/dagster/graphql', {{...{json.dumps(sent)}, body: {body!r}}}).then(a => a.status)"
        assert visitor.runs(asked) == 200
        assert product.changes() == before + 1


@needs_browser
def test_an_operator_looks_at_runs_launches_one_and_is_led_out_when_the_session_ends(
    product: Product,
) -> None:
    identities, name = product.identities, f"ada {os.urandom(4).hex()}"
    identities.accounts.add(name, PASSWORD, Role.OPERATOR, by="os:owner")
    with chromium() as running:
        visitor = InChromium(running.browser.new_page())
        frames: list[str] = []
        visitor.page.on(
            "websocket", lambda wire: wire.on("framereceived", lambda f: frames.append(str(f)))
        )
        start = "/dagster/locations/tta_monitor/jobs/batch/playground"
        visitor.opens(f"{product.app}{start}")
        visitor.types("User name", name)
        visitor.types("Password", PASSWORD)
        visitor.presses("Sign in")
        is_at(visitor, start)
        visitor.page.get_by_role("button", name="Launch run").click(timeout=60_000)
        visitor.page.wait_for_url("**/dagster/runs/*", timeout=60_000)
        # Playwright tells of frames while it is asked for something.
        wait_for(
            lambda: (visitor.runs("1") and any("pipelineRunLogs" in f for f in frames)) or None,
            lambda: str(frames),
            60,
        )
        visitor.opens(f"{product.app}/dagster/runs")
        run = "document.querySelector('a[href*=\"/dagster/runs/\"]')?.href || null"
        wait_for(partial(visitor.runs, run), lambda: "no run is listed", 60)
        host = product.app.removeprefix("http://")
        assert visitor.asked <= {host, ""}, "only this address is asked for anything"
        assert visitor.runs("window.stopped") == []
        entries = product.log.entries(action="access.action", target="dagster.change", limit=5)
        assert any(
            e.actor == identities.sessions.holder(name) and e.outcome == "done" for e in entries
        )
        identities.accounts.change(name, by="os:owner", password=f"{PASSWORD} anew")
        assert "Your session has ended" in reads(visitor, until="User name")
        visitor.types("User name", name)
        visitor.types("Password", f"{PASSWORD} anew")
        visitor.presses("Sign in")
        is_at(visitor, "/dagster/runs")


@needs_root
def test_a_second_user_of_the_machine_reads_no_file_and_comes_in_by_no_socket(
    product: Product,
) -> None:
    refused = as_second_user(f"import os; print(os.listdir({str(product.home)!r}))")
    assert "PermissionError" in refused
    for path in product.sockets():
        told = as_second_user(
            f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
        )
        assert "PermissionError" in told, path
    for file in (product.home / "state.db", product.home / "run" / "supervisord.conf"):
        assert "PermissionError" in as_second_user(f"print(open({str(file)!r}, 'rb').read())")
