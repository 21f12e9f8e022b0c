"""`./tta.sh monitor errors …`: groups, decisions about them, rules by hand, another grouping."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingestion.meaning.errors.group_states import GroupRecord, State
from tta_monitor.console.context import err, out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting, noted
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from ingestion.meaning.errors.group_store import ErrorStore
    from ingestion.meaning.errors.grouping import Site

commands = group()

_Key = Annotated[str, typer.Argument(help="Group key, or its beginning.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN = 3
_ORDER = [State.REGRESSED, State.ESCALATING, State.NEW, State.ONGOING, State.MUTED, State.RESOLVED]


@commands.callback(invoke_without_command=True, no_args_is_help=False)
def say_mistakes(context: typer.Context) -> None:
    """Error groups."""
    from ingestion.meaning.errors.grouping import RulesProblem, load_site
    from ingestion.settings import SettingsProblem

    try:
        load_site(settings().home / "errors.yaml")
    except RulesProblem as problem:
        err.print(f"errors.yaml is not taken: {problem}")
    except SettingsProblem:
        # The command that follows says it, or help is asked for.
        pass
    if context.invoked_subcommand is None:
        out.print(context.get_help())


@commands.command("list")
def list_groups(
    state: Annotated[str | None, typer.Option(help="Only this state.")] = None,
    as_json: _Json = False,
) -> None:
    """Error groups, worst first.

    Example: ./tta.sh monitor errors list --state regressed --json
    """
    if state is not None and state not in list(State):
        raise Problem(f"--state is one of {', '.join(State)}.", code=2)
    now = datetime.now(UTC).replace(tzinfo=None)
    records = [r for r in _store().groups() if state in (None, r.state(now).value)]
    records.sort(key=lambda r: (_ORDER.index(r.state(now)), -r.count))
    if as_json:
        print(json.dumps([_plain(r, now) for r in records]))
        return
    rows = [
        [
            r.key[:11],
            r.state(now),
            r.count,
            r.title[:70],
            _some(r.components),
            _time(r.last_seen_at),
            r.assignee,
        ]
        for r in records
    ]
    columns = ["key", "state", "errors", "title", "components", "last seen UTC", "assigned"]
    print_table(columns, rows)


@commands.command("show")
def show(key: _Key, as_json: _Json = False) -> None:
    """One group: why it is one, where to look, its stack and its history.

    Example: ./tta.sh monitor errors show g1:5a0c
    """
    store = _store()
    record = _found(store, key)
    now = datetime.now(UTC).replace(tzinfo=None)
    history = store.transitions(record.key)
    if as_json:
        events = [{**asdict(t), "at": _time(t.at)} for t in history]
        print(json.dumps({**_plain(record, now), "history": events}))
        return
    out.print(f"{record.title}\n{record.key} · {record.state(now)} · {record.count} errors")
    out.print(f"in {', '.join(record.components)}; {record.culprit or 'no frame of our own'}")
    out.print(f"first {_time(record.first_seen_at)}, last {_time(record.last_seen_at)} UTC")
    out.print(record.explanation)
    out.print(record.sample_stack or "no stack was sent")
    for event in history:
        out.print(f"{_time(event.at)} {event.state} {event.by} {event.note}")


@commands.command("resolve")
def resolve(
    key: _Key,
    release: Annotated[
        str | None, typer.Option(help="Release with the fix (default: last seen).")
    ] = None,
) -> None:
    """Mark as resolved; a later release reopens it.

    Example: ./tta.sh monitor errors resolve g1:5a0c --release 1.4.0
    """
    with _changing("resolve", key) as (store, group):
        record = store.resolve(group, acting(), release)
    out.print(f"resolved {record.key} in {record.resolved_in or 'no named release'}")


@commands.command("mute")
def mute(key: _Key) -> None:
    """Go on counting, tell nobody.

    Example: ./tta.sh monitor errors mute g1:5a0c
    """
    with _changing("mute", key) as (store, group):
        store.mute(group, acting())
    out.print(f"muted {group}")


@commands.command("reopen")
def reopen(key: _Key) -> None:
    """Undo a resolution or a mute.

    Example: ./tta.sh monitor errors reopen g1:5a0c
    """
    with _changing("reopen", key) as (store, group):
        store.reopen(group, acting())
    out.print(f"reopened {group}")


@commands.command("assign")
def assign(key: _Key, name: Annotated[str, typer.Argument(help="Who; empty for nobody.")]) -> None:
    """Name who looks after it.

    Example: ./tta.sh monitor errors assign g1:5a0c ada
    """
    with _changing("assign", key) as (store, group):
        record = store.assign(group, acting(), name)
    out.print(f"assigned {record.key} to {record.assignee or 'nobody'}")


@commands.command("merge")
def merge(
    keys: Annotated[list[str], typer.Argument(help="Groups that end.")],
    into: Annotated[str, typer.Option(help="The group they count as.")],
) -> None:
    """Count groups as another one, now and in every re-run.

    Example: ./tta.sh monitor errors merge g1:5a0c g1:77d1 --into g1:90ab
    """
    with _changing("merge", into) as (store, group):
        target = store.merge(keys, group, acting())
    out.print(f"merged {len(keys)} into {target}")


@commands.command("split")
def split(
    key: _Key,
    by: Annotated[
        str, typer.Option(help="message, component, route, version, environment or logger.")
    ],
) -> None:
    """Divide a group, now and in every re-run.

    Example: ./tta.sh monitor errors split g1:5a0c --by message
    """
    with _changing("split", key) as (store, group):
        found = store.split(group, by, acting())
    out.print(f"split {found} by {by}")


@commands.command("regroup")
def regroup(
    version: Annotated[str, typer.Option(help="The version to compare with.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")] = False,
    as_json: _Json = False,
) -> None:
    """Show what another version of grouping would change in the stored errors.

    Example: ./tta.sh monitor errors regroup --version g2 --dry-run
    """
    from ingestion.meaning.errors.grouping import VERSIONS
    from ingestion.meaning.errors.regroup import changes
    from tta_monitor.stored_errors import stored_errors

    chosen = settings()
    if version not in VERSIONS:
        raise Problem(f"--version is one of {', '.join(VERSIONS)}.", code=2)
    if not dry_run:
        raise Problem(
            f"look with --dry-run first, then set errors.grouping_version: {version} in config.yaml."
        )
    found = changes(
        stored_errors(chosen), _site(), _store().hand_rules(),
        old=chosen.errors.grouping_version, new=version,
    )  # fmt: skip
    if as_json:
        print(json.dumps([asdict(change) for change in found]))
        return
    rows = [
        [c.kind, c.occurrences, len(c.old_keys), len(c.new_keys), c.title[:70],
         ", ".join(c.rules_by_hand)]
        for c in found
    ]  # fmt: skip
    print_table(["change", "errors", "groups now", "then", "title", "rules to make again"], rows)


def _store() -> "ErrorStore":
    from ingestion.meaning.errors.group_store import ErrorStore
    from privacy.keys.key_store import KeyStore

    chosen = settings()
    return ErrorStore(chosen.home, KeyStore.open(chosen.home))


def _site() -> "Site":
    from ingestion.meaning.errors.grouping import RulesProblem, load_site

    try:
        return load_site(settings().home / "errors.yaml")
    except RulesProblem as problem:
        raise Problem(str(problem)) from None


@contextmanager
def _changing(verb: str, key: str) -> "Iterator[tuple[ErrorStore, str]]":
    """The store and the group's whole key, around a decision: one entry says who, what and how it went."""
    from ingestion.meaning.errors.group_store import NoSuchGroup
    from ingestion.meaning.errors.hand_rules import HandRuleProblem

    store = _store()
    group = _found(store, key).key
    refusals = (HandRuleProblem, NoSuchGroup)
    about = {"verb": verb, "group": group}
    try:
        with noted(
            settings().home, *refusals, action="access.action", target="errors.change", **about
        ):
            yield store, group
    except refusals as problem:
        raise Problem(str(problem)) from None


def _found(store: "ErrorStore", key: str) -> GroupRecord:
    from ingestion.meaning.errors.group_store import NoSuchGroup

    try:
        return store.group(key)
    except NoSuchGroup as problem:
        raise Problem(str(problem)) from None


def _plain(record: GroupRecord, now: datetime) -> dict[str, Any]:
    values = {k: _time(v) if isinstance(v, datetime) else v for k, v in asdict(record).items()}
    del values["others"]
    return {**values, "components": record.components, "state": record.state(now).value}


def _some(names: tuple[str, ...]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" ({more} more)" if more > 0 else "")


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
