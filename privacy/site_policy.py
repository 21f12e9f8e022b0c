"""What a site's privacy officer decided about attributes: `<home>/policy.yaml` over the allow-list.

Here: reading, checking, merging, watching and writing it. Not here: the shipped allow-list (`fields`) and
applying it (`privacy/gate`). One mapping of attribute name to decision:

    attributes:
      player.mood_score: allow    # numbers and words of software stay, anything else is a skeleton
      scene.remark: scrub         # a skeleton
      answer.text: drop           # known, and never kept
      ~abcdefghijkl: drop         # a name that is not shown; it can only be dropped

The site decides about what the shipped list does not name, and may drop what it does. It cannot loosen a
shipped decision: free text of therapy stays out whatever a site writes.
"""

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

import yaml

from privacy.audit.audit_log import AuditLog
from privacy.disk.files import write_over
from privacy.disk.locks import locked
from privacy.disk.watched import Watched
from privacy.gate.allow_list import LEVELS, AllowList, PolicyProblem, Treatment, load_allow_list
from privacy.gate.allow_list import Decision as Ruling
from privacy.gate.attribute_names import is_hidden_name, is_name

FILE = "policy.yaml"
_KEY = "attributes"
_LOOK_EVERY_S = 1.0
_HEAD = (
    "# Decisions about attributes; change them with `privacy policy set` or on the Privacy page.\n"
)


class Decision(StrEnum):
    """What may become of an attribute that the shipped list does not name."""

    ALLOW = "allow"
    SCRUB = "scrub"
    DROP = "drop"


SitePolicy = Mapping[str, Decision]
_TREATMENTS = {
    Decision.ALLOW: Treatment.ALLOW,
    Decision.SCRUB: Treatment.SCRUB,
    Decision.DROP: Treatment.DROP,
}


def load_site_policy(home: Path) -> SitePolicy:
    """Decisions by attribute name, none without a file; raises PolicyProblem with every mistake."""
    file = home / FILE
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f", line {line + 1}"
        raise PolicyProblem(
            f"{file} is not readable as YAML ({type(error).__name__}{where}): correct it, or remove it "
            "and decide again."
        ) from None
    given = found.get(_KEY) if isinstance(found, dict) else None
    if not isinstance(found, dict) or set(found) - {_KEY} or not isinstance(given or {}, dict):
        raise PolicyProblem(f"{file} must hold one mapping `{_KEY}` of name to decision.")
    problems = [text for name, word in (given or {}).items() if (text := _mistake(name, word))]
    if problems:
        raise PolicyProblem(f"{file} is wrong: {'; '.join(problems)}.")
    return {name: Decision(word) for name, word in (given or {}).items()}


def merged(site: SitePolicy, shipped: AllowList | None = None) -> AllowList:
    """The allow-list that the gate applies."""
    shipped = shipped or load_allow_list()
    exact = dict(shipped.exact)
    for name, decision in site.items():
        ruling = Ruling(_TREATMENTS[decision], "decision of this site")
        for level in LEVELS:
            if decision is Decision.DROP or _is_open(shipped, level, name):
                exact[level, name] = ruling
    return AllowList(exact, shipped.prefixes)


def decide(
    home: Path, log: AuditLog, *, actor: str, name: str, decision: Decision | None
) -> SitePolicy:
    """Write one decision (None takes it back) and an audit entry; returns the policy as it is now.

    Raises PolicyProblem, with an entry too, when the decision is not possible or the file is wrong.
    """
    with locked(home / "policy.lock"):
        why = "wrong_file"
        try:
            before = load_site_policy(home)
            problem = _mistake(name, decision.value) if decision else ""
            if problem:
                why = "not_possible"
                raise PolicyProblem(f"{problem}.")
        except PolicyProblem:
            log.append(
                actor=actor, action="privacy.decide", target=name, outcome="refused", why=why
            )
            raise
        after = {k: v for k, v in before.items() if k != name}
        if decision:
            after[name] = decision
        # The entry comes first: a change nobody can account for is worse than an entry too many.
        log.append(
            actor=actor,
            action="privacy.decide",
            target=name,
            decision=decision.value if decision else "undecided",
            before=before[name].value if name in before else "undecided",
        )
        if after != before:
            _write(home / FILE, after)
    return after


class PolicyWatch:
    """The merged allow-list of a home, followed while a process runs.

    Made at start it raises PolicyProblem; later a wrong file changes nothing but `problem`.
    """

    def __init__(self, home: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._watched = Watched(
            lambda: [home / FILE],
            lambda: merged(load_site_policy(home)),
            PolicyProblem,
            look_every_s=_LOOK_EVERY_S,
            monotonic=monotonic,
        )

    @property
    def allow_list(self) -> AllowList:
        """The list in force."""
        return self._watched.value

    @property
    def problem(self) -> str:
        """Why the file was not taken when it was last looked at; empty when it was."""
        return str(self._watched.problem or "")

    def changed(self) -> AllowList | None:
        """The new list when there is a good one; looks at the file once a second at most."""
        return self._watched.value if self._watched.look() else None


def _is_open(shipped: AllowList, level: str, name: str) -> bool:
    """Whether the shipped list leaves a name to the site: unnamed, or only by a prefix that keeps."""
    ruling, entry = shipped.look_up(level, name)
    return entry is None or (entry != name and ruling.treatment is not Treatment.DROP)


def _mistake(name: object, word: object) -> str:
    """Why this decision about this name is not possible; empty when it is."""
    if not isinstance(name, str) or not (is_name(name) or is_hidden_name(name)):
        return (
            "an attribute's name is letters, digits and . _ - / : in at most 80 characters, or ~ and "
            "12 letters as the Privacy page shows it"
        )
    if word not in {d.value for d in Decision}:
        return f"the decision about {name} must be allow, scrub or drop"
    return "" if word == Decision.DROP else _loosened(name)


def _loosened(name: str) -> str:
    """Why a name may not be kept in any form; empty when it may."""
    if is_hidden_name(name):
        return (
            f"{name} is not shown because its name may hold personal words: it can only be dropped"
        )
    shipped = load_allow_list()
    rulings = [shipped.look_up(level, name)[0] for level in LEVELS]
    if any(r.is_listed and r.treatment is Treatment.DROP for r in rulings):
        return f"{name} is dropped by the shipped allow-list, which a site cannot loosen"
    if not any(_is_open(shipped, level, name) for level in LEVELS):
        return f"{name} is decided by the shipped allow-list: a site can only drop it"
    return ""


def _write(file: Path, policy: SitePolicy) -> None:
    text = yaml.safe_dump({_KEY: {name: d.value for name, d in sorted(policy.items())}})
    write_over(file, (_HEAD + text).encode())
