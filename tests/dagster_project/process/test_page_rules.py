"""At Dagster's page GraphQL is asked by POST and JSON alone, and each change leaves an entry of how it went."""

import asyncio
import json

import httpx
import pytest

from dagster_project.process.page_rules import ASKED_BY, MAY_CHANGE, PageRules
from privacy.audit.audit_log import AuditEntry, AuditLog

MUTATION = "mutation Launch { launchRun { __typename } }"
ADA = {ASKED_BY: "user:u_0123456789ab", MAY_CHANGE: "1"}


class Page:
    """Dagster's page with an answer of the test's; it keeps what reached it."""

    def __init__(self, home, keys) -> None:
        self.log = AuditLog(home, keys)
        self.reached: list[bytes] = []
        self.answer: tuple[int, object] = (
            200,
            {"data": {"launchRun": {"__typename": "LaunchRunSuccess"}}},
        )

    def asks(self, method: str = "POST", path: str = "/dagster/graphql", **more) -> httpx.Response:
        async def dagster(scope, receive, send) -> None:
            self.reached.append((await receive()).get("body", b""))
            status, body = self.answer
            if isinstance(body, Exception):
                raise body
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": json.dumps(body).encode()})

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(
                PageRules(dagster, self.log), raise_app_exceptions=False
            )
            async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
                return await client.request(method, path, headers=more.pop("headers", ADA), **more)

        return asyncio.run(asked())

    def entries(self) -> list[AuditEntry]:
        return self.log.entries(action="access.action")


@pytest.fixture
def page(home, keys) -> Page:
    return Page(home, keys)


@pytest.mark.parametrize("path", ["/dagster/graphql", "/dagster/graphql/", "/dagster//graphql"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_an_address_changes_nothing(page: Page, method: str, path: str) -> None:
    answer = page.asks(method, path, params={"query": MUTATION})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert page.reached == [] == page.entries()


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/graphql", "application/x-www-form-urlencoded",
     "multipart/form-data", "text/plain; x=application/json", ""],
)  # fmt: skip
def test_what_a_form_of_any_site_can_send_is_not_read(page: Page, kind: str) -> None:
    sent = json.dumps({"query": MUTATION}).encode()
    answer = page.asks(headers={**ADA, "content-type": kind}, content=sent)
    assert answer.status_code == 415 and page.reached == []


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"query": 1}', b'{"query": "mutation {"}', b"\xff", b"[" * 100_000,
     json.dumps({"query": "{a" * 20_000}).encode()],
)  # fmt: skip
def test_what_is_no_graphql_is_refused_and_stops_nothing(page: Page, body: bytes) -> None:
    headers = {**ADA, "content-type": "application/json"}
    assert page.asks(headers=headers, content=body).status_code == 400
    assert page.asks(json={"query": "{version}"}).status_code == 200


def test_a_question_passes_unchanged_and_leaves_no_entry(page: Page) -> None:
    asked = {"query": "query Runs($n: Int) { runs(limit: $n) { id } }", "variables": {"n": 3}}
    assert page.asks(json=asked).status_code == 200
    assert json.loads(page.reached[0]) == asked and page.entries() == []


@pytest.mark.parametrize(
    ("answer", "outcome", "why"),
    [
        ((200, {"data": {"launchRun": {"__typename": "LaunchRunSuccess"}}}), "done", None),
        ((200, {"data": {"launchRun": {"__typename": "UnauthorizedError"}}}), "refused", "UnauthorizedError"),
        ((200, {"data": {"launchRun": {"__typename": "RunConflict"}}}), "failed", "RunConflict"),
        ((200, {"data": None, "errors": [{"message": "Eva Lindqvist"}]}), "failed", "errors"),
        ((400, {}), "failed", "400"),
        ((500, {}), "failed", "500"),
        ((200, RuntimeError("Eva Lindqvist")), "failed", "RuntimeError"),
    ],
)  # fmt: skip
def test_the_entry_of_a_change_says_who_and_how_it_went(
    page: Page, answer: tuple[int, object], outcome: str, why: str | None
) -> None:
    page.answer = answer
    page.asks(json={"query": MUTATION})
    (entry,) = page.entries()
    assert (entry.actor, entry.target, entry.outcome) == (
        ADA[ASKED_BY], "dagster.change", outcome,
    )  # fmt: skip
    assert (entry.details["verb"], entry.details.get("why")) == ("launchRun", why)


def test_a_role_that_may_only_look_changes_nothing_and_the_refusal_is_noted(page: Page) -> None:
    answer = page.asks(json={"query": MUTATION}, headers={ASKED_BY: "user:u_0123456789ab"})
    assert answer.status_code == 403 and page.reached == []
    (entry,) = page.entries()
    assert (entry.outcome, entry.details["why"]) == ("refused", "role")
    assert page.asks("POST", "/dagster/report_asset_check/x", headers={}).status_code == 403
    assert page.entries()[0].actor == "unknown"


@pytest.mark.parametrize(
    ("query", "named", "noted"),
    [
        ("mutation { a: deleteRun { x } b: launchRun { x } }", None, "deleteRun,launchRun"),
        ("query Q { version } mutation M { deleteRun { x } }", "M", "deleteRun"),
        ("query Q { version } mutation M { deleteRun { x } }", "Q", None),
        ("mutation { ...F } fragment F on Mutation { deleteRun { x } }", None, "fragment"),
        ("subscription { runLogs { x } }", None, None),
    ],
)
def test_however_a_document_is_written_its_changes_are_found(
    page: Page, query: str, named: str | None, noted: str | None
) -> None:
    page.asks(json={"query": query, "operationName": named})
    assert [e.details["verb"] for e in page.entries()] == ([noted] if noted else [])
