"""The documents name every setting, command, rule, role and target that exists, and no other.

Here: what README.md and docs/ promise, held against the code. Not here: reading them (`documents`).
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from dagster_project.reporting.kinds import kinds
from ingestion.meaning.errors.grouping import load_site
from ingestion.settings import MIB, Settings, load_settings
from live_tail.alerts.desk.own import RULES as OWN
from live_tail.alerts.notify.notify_policy import Policy, load_policy
from live_tail.alerts.reading.selecting import FACTS
from live_tail.alerts.rules.rounds import INVALID
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.rules.rule_spec import KINDS, RuleSpec
from live_tail.window.queries.catalogue import QUERIES
from privacy.access.roles import Role
from privacy.gate.allow_list import Treatment
from privacy.retention.retention_policy import POLICY_FILE
from privacy.site_policy import load_site_policy
from tests.conftest import ROOT
from tests.documents import (
    documents,
    everything,
    headings,
    links,
    quoted,
    rows,
    section,
    snippets,
    text,
)
from tests.e2e.doors import commands

COMMANDS = {" ".join(words): command for words, command in commands()}
ALERTS = {rule.name: rule for rule in (*load_rules([SHIPPED]), *OWN.values(), INVALID)}
_TTA = re.compile(r"(?:\./tta\.sh|tta-monitor) monitor ([^\n`]+)")


def _settings(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _settings(kind, f"{prefix}{name}.")
        elif prefix:
            yield prefix + name, field.get_default(call_default_factory=True)


def _shown(default: Any) -> str:
    """A default as the table tells it."""
    if default in (None, "", [], {}):
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int) and default >= MIB and default % MIB == 0:
        return f"{default // MIB} MiB"
    if isinstance(default, float):
        return f"{default:g}"
    return ", ".join(default) if isinstance(default, list) else str(default)


def _table(name: str, title: str, column: int = 0) -> list[str]:
    """What stands in code in a column of the tables below a heading."""
    return [word for row in rows(section(text(name), title)) for word in quoted(row[column])]


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(text("README.md").splitlines()) <= 150


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    listed = [
        (quoted(name)[0], default)
        for name, default, _ in rows(section(text("docs/configuration.md"), "Settings"))
    ]
    assert sorted(listed) == sorted((name, _shown(default)) for name, default in _settings())


def _flags(command: Any) -> set[str]:
    """The options of a command as somebody types them; of a switch that is on, what turns it off."""
    return {
        (option.secondary_opts if option.default is True else option.opts)[0]
        for option in command.params
        if option.param_type_name == "option"
    }


def _arguments(command: Any) -> list[str]:
    return [p.name.upper() for p in command.params if p.param_type_name == "argument"]


def test_every_command_is_documented_and_no_other() -> None:
    told = {}
    for row in rows(text("docs/commands.md")):
        if len(row) == 3 and row[0].startswith("`"):
            words = quoted(row[0])[0].split()
            name = " ".join(word for word in words if not word.isupper() and word[-1] != "…")
            arguments = [w.rstrip("…") for w in words if w.rstrip("…").isupper()]
            told[name] = (arguments, set(quoted(row[1])))
    assert told == {name: (_arguments(c), _flags(c)) for name, c in COMMANDS.items()}


@pytest.mark.parametrize("file", documents(), ids=lambda f: str(f.relative_to(ROOT)))
def test_a_command_that_somebody_is_told_to_type_exists(file: Path) -> None:
    for typed in _TTA.findall(file.read_text()):
        _check_typed(typed)


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_a_command_that_an_alert_tells_to_type_exists(name: str) -> None:
    for step in ALERTS[name].runbook:
        for typed in _TTA.findall(step):
            _check_typed(typed)


def _check_typed(typed: str) -> None:
    words = re.sub(r"--home \S+ ", "", typed).split("|")[0].split()
    if words[0] in {"COMMAND", "--help"}:
        return
    plain = [word.rstrip(".,;:") for word in words]
    names = [n for n in (" ".join(plain[:size]) for size in (3, 2, 1)) if n in COMMANDS]
    assert names, typed
    options = {o for p in COMMANDS[names[0]].params for o in (*p.opts, *p.secondary_opts)}
    assert {word for word in plain if word.startswith("--")} <= options, typed


def test_every_make_target_is_documented_and_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    listed = {word.removeprefix("make ") for word in _table("docs/CONTRIBUTING.md", "Make")}
    assert {w for w in listed if re.fullmatch(r"[a-z-]+", w)} == targets - {"setup", "test-setup"}
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", everything(), re.MULTILINE))
    assert named <= targets


def test_what_make_check_runs_is_told_in_its_order() -> None:
    recipe = re.search(
        r"^check:.*?(?=^\S)", (ROOT / "Makefile").read_text() + "\nend", re.M | re.S
    )[0]
    # What stands in `$$(…)` only makes an argument.
    recipe = re.sub(r"\$\$\(\$\(BIN\)[^)]*\)", "", recipe)
    runs = re.findall(r"\$\(BIN\)/([a-z-]+ ?[a-z]*)", recipe)
    told = re.search(r"`make check` runs.*?(?=\n\n)", text("docs/CONTRIBUTING.md"), re.S)[0]
    places = [told.find(f"`{run.strip()}") for run in runs]
    assert len(runs) >= 5 and -1 not in places
    assert places == sorted(places)


def test_every_treatment_of_the_gate_is_documented_and_no_other() -> None:
    assert _table("docs/privacy.md", "What the gate does") == [t.value for t in Treatment]


def test_every_retention_rule_is_documented_as_it_is() -> None:
    shipped = yaml.safe_load(POLICY_FILE.read_text())
    told = {
        quoted(r[0])[0]: r[1] for r in rows(section(text("docs/privacy.md"), "How long it stays"))
    }
    assert told == shipped


def test_every_role_is_documented_and_no_other() -> None:
    told = [quoted(row[0])[0] for row in rows(headings(text("docs/access.md"))[0].text)]
    assert told == [role.value for role in Role]


def test_every_kind_of_rule_is_documented_with_its_fields() -> None:
    told = {
        quoted(r[0])[0]: set(quoted(r[2]))
        for r in rows(_kinds())
        if len(r) == 3 and r[0][1:-1] in KINDS
    }
    assert told == {name: set(kind.model_fields) for name, kind in KINDS.items()}
    facts = {quoted(r[0])[0]: set(quoted(r[1])) for r in rows(_kinds()) if r[0][1:-1] in FACTS}
    assert facts == FACTS


def _kinds() -> str:
    return section(text("docs/alerting.md"), "Kinds")


def test_every_field_of_a_rule_is_documented_and_no_other() -> None:
    fields = {field.alias or name for name, field in RuleSpec.model_fields.items()}
    assert set(_table("docs/alerting.md", "Fields of every rule")) == fields


def test_every_kind_of_report_is_documented_and_no_other() -> None:
    audiences = {kind.name: kind.audience for kind in kinds().values()}
    told = rows(section(text("docs/reports.md"), "Kinds"))
    assert {quoted(row[0])[0]: row[2] for row in told} == audiences


def test_every_part_of_the_alerting_policy_is_documented_and_no_other() -> None:
    assert set(_table("docs/alerting.md", "Who is told")) == set(Policy.model_fields)


def test_every_live_query_is_documented_and_no_other() -> None:
    assert set(_table("docs/commands.md", "The live API")) == {"freshness", *QUERIES}


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    told = {h.title: h.text for h in headings(text("docs/operations.md")) if h.level == 3}
    assert set(told) == set(ALERTS)
    for name, runbook in told.items():
        rule = ALERTS[name]
        assert runbook.strip().startswith(f"`{rule.severity.value}` · `{rule.kind}`"), name
        parts = re.findall(r"^- \*\*(\w+):\*\* \S", runbook, re.MULTILINE)
        assert parts == ["Means", "Look", "Do", "Ignore"], name


def test_a_link_of_a_rule_to_its_runbook_leads_there() -> None:
    anchors = {h.title: h.anchor for h in headings(text("docs/operations.md"))}
    for rule in ALERTS.values():
        assert rule.runbook_url in {"", f"docs/operations.md#{anchors[rule.name]}"}


@pytest.mark.parametrize("file", documents(), ids=lambda f: str(f.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for target in links(file.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        found = file.parent / path if path else file
        assert found.exists(), target
        if anchor:
            assert anchor in {h.anchor for h in headings(found.read_text())}, target


def test_a_document_that_the_product_sends_people_to_exists() -> None:
    named = set()
    for package in (
        "privacy",
        "ingestion",
        "live_tail",
        "dagster_project",
        "streamlit_app",
        "tta_monitor",
    ):
        for file in (ROOT / package).rglob("*.py"):
            named |= set(
                re.findall(r"(?:docs/[\w/-]+|README)\.md(?:#[\w-]+)?|see README", file.read_text())
            )
    assert "docs/configuration.md" in named
    for name in named:
        path, _, anchor = name.partition("#")
        assert (ROOT / path).exists(), name
        assert not anchor or anchor in {h.anchor for h in headings(text(path))}, name


def test_every_mart_that_a_document_names_exists() -> None:
    marts = {file.stem for file in (ROOT / "dbt" / "models" / "marts").rglob("*.sql")}
    named = set(re.findall(r"\b(?:fct|dim|meta)_[a-z_]+", everything()))
    assert len(named) > 10
    assert named <= marts


def test_every_test_that_a_document_names_exists() -> None:
    functions = {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    named = set(re.findall(r"`(test_\w+)`", everything()))
    assert len(named) > 15
    assert named <= functions
    for path in re.findall(r"tests/[\w/]+\.py", everything()):
        assert (ROOT / path).exists(), path


def test_a_decision_is_a_context_a_decision_and_a_consequence() -> None:
    records = [f for f in documents() if f.parent.name == "decisions" and f.name != "README.md"]
    assert len(records) >= 8
    for file in records:
        assert re.findall(r"^\*\*(\w+)\.\*\* ", file.read_text(), re.MULTILINE) == [
            "Context", "Decision", "Consequence",
        ], file.name  # fmt: skip
    assert links(text("docs/decisions/README.md")) == [file.name for file in records]


@pytest.mark.parametrize("name", ["docs/privacy.md", "docs/benchmarks.md"])
def test_what_is_told_of_detection_is_what_the_model_card_says(name: str) -> None:
    card = " ".join(text("privacy/detection/MODEL_CARD.md").split())
    title = "The detector" if name == "docs/privacy.md" else "Detection"
    told = rows(section(text(name), title))
    assert len(told) >= 3
    for _, recall, interval in told:
        low, is_interval, high = interval.partition(" to ")
        said = f"| {recall} | {low}-{high} |" if is_interval else interval
        assert said in card, said
        assert recall in card, recall


def test_every_page_is_linked_from_the_readme() -> None:
    pages = {str(f.relative_to(ROOT)) for f in documents()[1:] if f.parent.name == "docs"}
    assert pages <= {target.partition("#")[0] for target in links(text("README.md"))}


_READERS: dict[str, Callable[[Path], object]] = {
    "config.yaml": load_settings,
    "alerting.yaml": load_policy,
    "errors.yaml": lambda home: load_site(home / "errors.yaml"),
    "policy.yaml": load_site_policy,
    "rules/site.yaml": lambda home: load_rules([SHIPPED, home / "rules"]),
}
_FILES = [
    (str(file.relative_to(ROOT)), content)
    for file in documents()
    for language, content in snippets(file.read_text())
    if language == "yaml"
]


@pytest.mark.parametrize(("document", "content"), _FILES)
def test_a_file_that_a_document_shows_is_taken(document: str, content: str, tmp_path: Path) -> None:
    name = content.splitlines()[0].removeprefix("# ")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    _READERS[name](tmp_path)


def test_every_file_of_a_home_is_shown_somewhere() -> None:
    assert {content.splitlines()[0].removeprefix("# ") for _, content in _FILES} == set(_READERS)
