"""What people keep: under rights, with an entry, and never with words of a person."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access.access_policy import Role
from privacy.gate import apart
from privacy.keys.key_store import KeyStore
from streamlit_app.actions import saved as actions
from streamlit_app.saved import MOST, SavedProblem, SavedStore
from streamlit_app.sign_in import doorman
from tests.signing_in import sign_in_page_test
from tests.streamlit_app.test_pages import fresh_caches  # noqa: F401

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def marked(texts: Any) -> list[str]:
    """Stands for the gate: shows what was given to it, and as what."""
    return [f"{how}({text})" for how, text in texts]


@pytest.fixture
def store(settings: Settings) -> SavedStore:
    return SavedStore(settings.home, KeyStore.open(settings.home, create=True), marked)


def test_a_view_comes_back_with_its_address_and_typed_words_passed_the_gate(
    store: SavedStore,
) -> None:
    params = {
        "range": "6 h", "tz": "Europe/Berlin", "component": "api", "route": "/a/{id}", "q": "Anna",
        "trace": "00ff", "at": "2026-03-01T12:00:00Z", "unknown": "x", "sort": "routes.-p95",
        "compare": "<b>", "group": "no id at all!",
    }  # fmt: skip
    store.keep_view("user:a", "  Slow \n routes ", "performance", params, is_shared=False)
    (kept,) = store.views("user:a")
    assert kept.name == "scrub(Slow routes)" and kept.page == "performance"
    assert dict(parse_qsl(kept.query)) == {
        "range": "6 h", "tz": "Europe/Berlin", "component": "service(api)", "route": "scrub(/a/{id})",
        "q": "scrub(Anna)", "trace": "00ff", "at": "2026-03-01T12:00:00Z", "sort": "routes.-p95",
    }  # fmt: skip


def test_own_views_are_ones_own_and_shared_ones_everybodys(store: SavedStore) -> None:
    mine = store.keep_view("user:a", "mine", "errors", {}, is_shared=False)
    ours = store.keep_view("user:a", "Also ours", "errors", {}, is_shared=True)
    assert [v.id for v in store.views("user:a")] == [ours.id, mine.id]
    assert [v.id for v in store.views("user:b")] == [ours.id]
    assert store.forget("saved_views", mine.id, "user:b") is False
    assert store.forget("saved_views", mine.id, "user:a") is True
    assert store.forget("saved_views", ours.id, "user:b", anybodys=True) is True
    assert store.views("user:a") == []


def test_a_note_is_found_in_its_range_alone(store: SavedStore) -> None:
    note = store.annotate("user:a", NOW, "cache resized")
    hour = timedelta(hours=1)
    assert store.annotations(NOW - hour, NOW + hour) == [note]
    assert store.annotations(NOW + hour, NOW + 2 * hour) == []
    assert note.words == "scrub(cache resized)" and note.at == NOW


@pytest.mark.parametrize(
    ("name", "page", "why"),
    [
        ("  ", "errors", "name is empty"),
        ("x" * 121, "errors", "longer than"),
        ("x", "../x", "no address"),
    ],
)
def test_what_cannot_be_kept_says_why(store: SavedStore, name: str, page: str, why: str) -> None:
    with pytest.raises(SavedProblem, match=why):
        store.keep_view("user:a", name, page, {}, is_shared=False)
    assert store.views("user:a") == []


def test_a_full_store_is_told(store: SavedStore) -> None:
    for number in range(MOST):
        store.annotate("user:a", NOW, f"note {number}")
    with pytest.raises(SavedProblem, match="remove some first"):
        store.annotate("user:a", NOW, "one more")
    store.annotate("user:b", NOW, "somebody else's")


def test_nothing_typed_lies_in_the_clear(store: SavedStore, settings: Settings) -> None:
    store.keep_view("user:a", "zebrafish", "errors", {"q": "zebrafish"}, is_shared=True)
    store.annotate("user:a", NOW, "zebrafish")
    files = [f for f in settings.home.rglob("*") if f.is_file()]
    assert not any(b"zebrafish" in f.read_bytes() for f in files)


def test_the_gate_in_a_process_of_its_own_masks_names() -> None:
    texts = [("scrub", "Deploy by Karl Meyer"), ("service", "player-experience-api")]
    masked, kept = apart.treated(texts)
    assert "Karl" not in masked and "Meyer" not in masked and masked.startswith("Deploy by")
    assert kept == "player-experience-api"
    assert apart.treated([]) == []


def test_without_an_answer_of_the_gate_nothing_is_kept(settings: Settings) -> None:
    def silent(_: Any) -> list[str]:
        raise apart.NotTreated("the gate did not answer (TimeoutExpired): try again.")

    quiet = SavedStore(settings.home, KeyStore.open(settings.home, create=True), silent)
    with pytest.raises(apart.NotTreated):
        quiet.keep_view("user:a", "name", "errors", {}, is_shared=True)
    assert quiet.views("user:a") == []


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.OPERATOR, (True, True, True)), (Role.DESIGNER, (True, False, False)),
     (Role.PRIVACY_OFFICER, (True, False, False))],
)  # fmt: skip
def test_who_may_keep_share_and_note_and_the_log_says_who_did(
    role: Role, may: tuple[bool, bool, bool], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SavedStore(settings.home, KeyStore.open(settings.home, create=True), marked)
    monkeypatch.setattr(actions, "store", lambda: store)

    def act(step: str) -> None:
        import streamlit as st

        from streamlit_app.actions import saved
        from tests.streamlit_app.test_saved import NOW

        if step == "annotate":
            st.session_state["done"] = saved.annotate(NOW, "x")
        else:
            st.session_state["done"] = saved.keep_view(
                "x", "account", {}, is_shared=step == "share"
            )

    for step, is_allowed in zip(("keep", "share", "annotate"), may, strict=True):
        shown = AppTest.from_function(act, args=(step,), default_timeout=60)
        sign_in_page_test(shown, settings.home, role).run()
        assert not shown.exception
        assert ("done" in shown.session_state) == is_allowed
        (entry,) = doorman.log().entries(action="access.action", limit=1)
        assert entry.actor == "user:u_test"
        assert entry.outcome == ("done" if is_allowed else "refused")


def test_a_question_in_sql_is_kept_in_pieces_and_stays_one(store: SavedStore) -> None:
    sql = (
        "SELECT route, sum(n) AS \"my n\" -- Anna asked\nFROM t /* for Ada */ WHERE at >= '2026-03-01' "
        "AND name = 'Anna''s' AND phone = 491701234567 LIMIT 20"
    )
    kept = store.keep_view("u", "slow", "explore", {"sql": sql, "part": "sql"}, is_shared=False)
    told = dict(parse_qsl(kept.query))["sql"]
    assert "asked" not in told and "Ada" not in told, "comments are free text"
    assert "service(route)" in told and "'service(Annas)'" in told and '"service(my n)"' in told
    assert (
        "service(491701234567)" in told
        and "'2026-03-01'" in told
        and "LIMIT" in told
        and " 20" in told
    )


def test_a_question_of_the_form_is_kept(store: SavedStore) -> None:
    params = {
        "mart": "fct_requests_minutely", "measure": "request_count", "how": "sum", "by": "route",
        "over": "total", "only": "component:api",
    }  # fmt: skip
    kept = store.keep_view("u", "by route", "explore", params, is_shared=False)
    told = dict(parse_qsl(kept.query))
    assert told == {**params, "only": "service(component):service(api)"}
