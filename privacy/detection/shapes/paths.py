"""Paths and URLs become templates: no credentials, no query, ids are `{id}`.

Here: deciding per segment whether it is part of the route or a value. Not here: free text
around a path (`skeleton`), which words are known (`program_names`). A segment stays when it is made
of known words; what follows a collection of people never stays unless it is a known word of a route.
"""

import re
from functools import lru_cache

from privacy.detection.shapes.program_names import is_known_name, known_host, unknown_parts
from privacy.detection.vocabulary.lexicon import is_in_names

_WORDY = re.compile(r"(?:v\d{1,2}|[A-Za-z]{1,24}\d?(?:[_-][A-Za-z]{1,24}){0,5})\Z")
# `cron.hourly`, `logrotate.d`, not `j.fox`.
_DOTTED = re.compile(r"[A-Za-z]{2,24}\.(?:[A-Za-z]{5,24}|d)\Z")
_PARAMETER = re.compile(r"(?:\{[A-Za-z_][\w:]*\}|<[a-z]+>|\*{1,2}|:[a-z_]\w*)\Z")
_NAMES_WITH_DIGITS = frozenset(
    {"neo4j", "oauth2", "s3", "k8s", "i18n", "l10n", "ipv4", "ipv6", "2fa"}
)
_FILE = re.compile(
    r"[A-Za-z][A-Za-z_-]{0,40}\.(?:html?|js|css|json|png|svg|ico|php|py|txt|xml|map|woff2?)\Z"
)
_LONG_WORD = 25
_PEOPLE = frozenset(
    """user users player players patient patients account accounts member members profile profiles
    client clients customer customers person people therapist therapists u by-name by-email
    username usernames email emails contact contacts author authors owner owners invite invites
    home homes""".split()
)
_ROUTE_WORDS = frozenset(
    """me self all search settings privacy progress dashboard export preferences login logout
    register new list count stats status health bulk current active profile sessions characters
    worlds history analytics viz notifications avatar password reset verify refresh validate id
    ids""".split()
)
_QUERY_PART = re.compile(r"[?&#;](?:[\w.\[\]-]+=)?(?P<value>[^&#;]*)")
_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://(?:[^/@\s]*@)?([^/?#\s]*)(.*)\Z", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9.\[\]:_-]{1,120}\Z")
_MAX_SEGMENTS = 16


def template_path(path: str) -> str:
    """`/players/49ac…/progress?x=1` → `/players/{id}/progress`; keeps `{player_id}` as it is."""
    bare = re.split(r"[?#;]", path, maxsplit=1)[0]
    segments = bare.split("/")
    kept: list[str] = []
    for index, segment in enumerate(segments[:_MAX_SEGMENTS]):
        before = segments[index - 1].lower() if index else ""
        kept.append(_segment(segment, before))
    return "/".join(kept)


@lru_cache(maxsize=2_048)
def path_edits(path: str) -> list[tuple[int, int, str, str | None]]:
    """What `template_path` replaces, as (start, end, type, replacement or None), in order.

    Of a query string the keys stay and the values go; segments beyond the longest path go too.
    """
    bare = re.split(r"[?#;]", path, maxsplit=1)[0]
    edits: list[tuple[int, int, str, str | None]] = []
    at, before = 0, ""
    for index, segment in enumerate(bare.split("/")):
        kept = _segment(segment, before) if index < _MAX_SEGMENTS else "{id}"
        if kept != segment:
            edits.append((at, at + len(segment), "id", kept))
        at += len(segment) + 1
        before = segment.lower()
    for pair in _QUERY_PART.finditer(path, len(bare)):
        if pair["value"] and pair["value"] != "<value>":
            edits.append((pair.start("value"), pair.end("value"), "value", None))
    return edits


def template_url(url: str) -> str:
    """A URL or a bare path as a template; the host stays, user info and query go."""
    found = _URL.match(url)
    if not found:
        return template_path(url)
    scheme, host, path = found.groups()
    safe_host = known_host(host) if _HOST.match(host) else "<host>"
    return f"{scheme.lower()}://{safe_host}{template_path(path)}"


def url_parts(url: str) -> list[tuple[int, int, str]]:
    """What of a URL without a user may be somebody's, as (start, end, type): words, segments, values."""
    match = _URL.match(url)
    if match is None:
        return [(0, len(url), "url")]
    host, rest = match.start(2), match.start(3)
    words = [(host + a, host + b, "word") for a, b in unknown_parts(match[2])]
    return words + [(rest + a, rest + b, kind) for a, b, kind, _ in path_edits(match[3])]


def _segment(segment: str, before: str) -> str:
    if not segment:
        return segment
    if before in _PEOPLE and segment.lower() not in _ROUTE_WORDS and segment[0] != "{":
        return "{id}"
    if segment[0] in "{<:*":
        return segment if _PARAMETER.match(segment) else "{id}"
    is_wordy = _WORDY.match(segment) or _DOTTED.match(segment)
    is_route = segment.lower() in _NAMES_WITH_DIGITS or (
        bool(is_wordy) and len(segment) <= 3 * _LONG_WORD
    )
    if is_route or _FILE.match(segment):
        return segment if is_known_name(segment) else "{id}"
    return segment if _is_file(segment) else "{id}"


def _is_file(segment: str) -> bool:
    """`intro.tscn`: a known word with an ending that nobody is called."""
    stem, _, ending = segment.rpartition(".")
    is_ending = ending.isalpha() and ending.islower() and len(ending) < _LONGEST_ENDING
    return (
        is_ending and bool(_WORDY.match(stem)) and is_known_name(stem) and not is_in_names(ending)
    )


_LONGEST_ENDING = 5
