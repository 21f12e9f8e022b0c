"""Free text becomes a skeleton: the constants of a template stay, variable parts become types.

Here: log bodies, exception and status messages, span names, stack traces. Not here: paths and
statements (`treatments`), and the Presidio stack that looks at what is left (`detect`).

One combined pattern finds every checksummed or formatted identifier, in the order below; the
first alternative that matches wins, so the specific stand before the general. Words after a
cue such as `username=` or `player` are masked unless they are words of a log template.
"""

import re

from privacy.paths import template_path, template_url

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("jwt", r"\beyJ[\w-]{2,}(?:\.[\w-]*){0,2}"),
    ("secret", r"\b(?:sk|pk|rk|ghp|gho|ghs|xox[abprs]|AKIA|AIza|glpat|hf)[-_]?[A-Za-z0-9_-]{10,}"),
    (
        "credential",
        r"(?i:\b(?:bearer|basic|token|api[-_ ]?key|apikey|secret|password|passwd|pwd|authorization"
        r"|set-cookie|cookie)\b[\"']?\s*(?:[:=]\s*(?:bearer\s+|basic\s+)?|\s)[\"']?)[^\s\"',;)\]}]{3,}",
    ),
    ("email", r"[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*"),
    (
        "email",
        r"\b[\w.+-]+\s*(?:\(at\)|\[at\]|\{at\}|\s+at\s+)\s*[\w-]+"
        r"(?:\s*(?:\(dot\)|\[dot\]|\{dot\}|\s+dot\s+|\.)\s*[A-Za-z]{2,})+\b",
    ),
    ("url", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://[^\s\"'<>)\]}]+"),
    (
        "uuid",
        r"\b[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\b",
    ),
    ("mac", r"\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b"),
    (
        "timestamp",
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b",
    ),
    ("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    ("time", r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"),
    (
        "ip",
        r"(?<![\w:.])(?=[0-9a-fA-F:]*\d)(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)[0-9a-fA-F]{0,4}"
        r"(?::[0-9a-fA-F]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:%\w+)?(?![\w:])",
    ),
    ("iban", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
    ("home", r"(?:/home/|/Users/|\b[A-Za-z]:\\+Users\\+|~)[\w.@-]+(?:[/\\][^\s\"',:;)]*)?"),
    ("path", r"(?<![\w<])/[\w.~%@:{}+-]+(?:/[\w.~%@:{}+<>-]*)*(?:\?[^\s\"']*)?"),
    (
        "duration",
        r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?\s?(?:ns|us|µs|ms|s|sec|seconds?|min|minutes?|h|hours?)\b",
    ),
    ("number", r"(?<![\w.+(-])\d{1,4}\.\d{6,}(?![\w.])"),
    # Longer digit groups are phones, cards, national ids, account numbers: all one type.
    ("digits", r"(?<!\w)[+(]{0,2}\d(?:[ ()./-]{0,2}\d){6,}"),
    ("hex", r"\b(?:0x)?(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b"),
    ("id", r"\b(?=\w*\d)(?=\w*[A-Za-z_])[\w]+(?:[.-][\w]+)*\b"),
    ("number", r"\d+(?:[.,:]\d+)*"),
)
_KINDS = [kind for kind, _ in _PATTERNS]
_COMBINED = re.compile("|".join(f"({pattern})" for _, pattern in _PATTERNS))
# Constants of templates that hold a digit: versions, encodings, well-known names.
_CONSTANTS = re.compile(
    r"(?i:v\d|utf-?8|utf-?16|latin-?1|base64|sha-?(?:1|256|384|512)|md5|http[s/]?\d?|http/\d(?:\.\d)?|"
    r"ipv[46]|neo4j|s3|k8s|oauth2|h2|x86_64|amd64|arm64|int(?:8|16|32|64)|float(?:16|32|64)|"
    r"(?:step|branch|attempt|retry|phase|task|node|stage|worker|shard|pool|queue|level|part)[_-]?\d{1,3}|"
    r"p(?:50|90|95|99)|llama[\d.]+|gpt-[\w.-]+|python3?(?:\.\d+)?|psycopg2|log4j|ec2|i18n|utf8mb4)\Z"
)
_ERRNO = re.compile(r"(?i:errno|status|code|port|line|exit code)\W{0,3}\Z")

_CUE = re.compile(
    r"(?i:(?<![\w/}-])(user[ _-]?name|user[ _-]?id|user|player[ _-]?name|player|patient|client name|therapist|"
    r"login|nick(?:name)?|account|member|customer|author|owner|contact|sender|recipient|"
    r"first[ _-]?name|last[ _-]?name|full[ _-]?name|display[ _-]?name|surname|e-?mail|mail|phone|tel|"
    r"address|street|city|name|profile for|logged in as|signed in as|on behalf of|welcome|hello|dear)\b)"
    r"(?P<join>[\"']?\s*(?:[:=]|\bis\b|\bnamed\b)\s*[\"'(]?|\s+[\"'(]?)"
    r"(?P<word>[^\W\d_][\w.'’-]*(?:[ ][A-Z][\w.'’-]+){0,2})"
)
_STRONG_JOIN = re.compile(r"[:=\"'(]|\bnamed\b")
# After a cue and a blank these are grammar or template words, not names.
_TEMPLATE_WORDS = frozenset(
    [
        "a",
        "about",
        "accepted",
        "access",
        "account",
        "accounts",
        "action",
        "active",
        "activity",
        "added",
        "agent",
        "all",
        "already",
        "an",
        "and",
        "any",
        "api",
        "are",
        "as",
        "assigned",
        "at",
        "attempt",
        "auth",
        "authenticated",
        "authentication",
        "authorization",
        "authorized",
        "auto",
        "autocreation",
        "available",
        "based",
        "be",
        "been",
        "before",
        "between",
        "blocked",
        "but",
        "by",
        "cache",
        "called",
        "can",
        "cannot",
        "capabilities",
        "changed",
        "check",
        "choice",
        "choices",
        "class",
        "client",
        "closed",
        "code",
        "completed",
        "config",
        "configuration",
        "connected",
        "connection",
        "context",
        "could",
        "count",
        "created",
        "creation",
        "creating",
        "credentials",
        "data",
        "database",
        "deleted",
        "denied",
        "deletion",
        "did",
        "disabled",
        "disconnected",
        "does",
        "doesn't",
        "dropped",
        "email",
        "enabled",
        "ended",
        "endpoint",
        "engagement",
        "entered",
        "error",
        "event",
        "events",
        "exceeded",
        "exists",
        "experience",
        "expired",
        "export",
        "failed",
        "failure",
        "feedback",
        "fetch",
        "field",
        "fields",
        "file",
        "finished",
        "for",
        "found",
        "free",
        "from",
        "get",
        "getting",
        "granted",
        "group",
        "had",
        "handler",
        "has",
        "have",
        "header",
        "hook",
        "id",
        "ids",
        "if",
        "in",
        "inactive",
        "info",
        "input",
        "interaction",
        "interactions",
        "interface",
        "invalid",
        "is",
        "isolation",
        "issue",
        "item",
        "joined",
        "key",
        "keys",
        "left",
        "limit",
        "limits",
        "link",
        "list",
        "loaded",
        "loading",
        "locked",
        "log",
        "logged",
        "login",
        "logout",
        "lookup",
        "made",
        "management",
        "manager",
        "mapping",
        "message",
        "messages",
        "metadata",
        "missing",
        "mode",
        "model",
        "module",
        "must",
        "name",
        "names",
        "new",
        "no",
        "node",
        "none",
        "not",
        "notification",
        "null",
        "object",
        "of",
        "off",
        "ok",
        "on",
        "only",
        "or",
        "out",
        "over",
        "pages",
        "param",
        "parameter",
        "password",
        "permission",
        "permissions",
        "preference",
        "preferences",
        "present",
        "privacy",
        "profile",
        "profiles",
        "progress",
        "property",
        "provided",
        "provider",
        "query",
        "rate",
        "read",
        "ready",
        "received",
        "record",
        "registered",
        "registration",
        "rejected",
        "removed",
        "repository",
        "request",
        "requested",
        "requests",
        "required",
        "resolved",
        "resolution",
        "response",
        "restored",
        "result",
        "retrieved",
        "role",
        "roles",
        "row",
        "saved",
        "schema",
        "scope",
        "selected",
        "service",
        "session",
        "sessions",
        "set",
        "setting",
        "settings",
        "setup",
        "should",
        "space",
        "state",
        "status",
        "store",
        "stored",
        "storage",
        "success",
        "successful",
        "successfully",
        "table",
        "test",
        "that",
        "the",
        "this",
        "timed",
        "timeout",
        "to",
        "token",
        "tokens",
        "tracking",
        "type",
        "unable",
        "unauthorized",
        "unknown",
        "update",
        "updated",
        "updates",
        "upload",
        "url",
        "user",
        "username",
        "users",
        "validated",
        "validation",
        "value",
        "values",
        "via",
        "was",
        "were",
        "while",
        "will",
        "with",
        "within",
        "without",
        "world",
        "worlds",
        "write",
        "your",
        "zone",
        "true",
        "false",
        "undefined",
    ]
)


def skeletonise(text: str) -> str:
    """The skeleton of one text; idempotent, no identifier that has a format survives."""
    if not _may_vary(text):
        return text
    return _CUE.sub(_mask_cue, _COMBINED.sub(_mask, text))


def _may_vary(text: str) -> bool:
    """Cheap proof that nothing can match: no digit, no sign of a format, no cue."""
    return bool(_TRIGGER.search(text))


_TRIGGER = re.compile(
    r"[\d@%/\\~]|eyJ|[0-9a-fA-F]{2}:[0-9a-fA-F]{2}:|(?i:bearer|basic|token|key|secret|passw|pwd|cookie|authoriz| at |\(at|\[at|\{at|"
    r"sk[-_]|pk[-_]|gh[pos]_|xox|akia|aiza|glpat|hf_)|::|"
    + _CUE.pattern.replace("(?P<join>", "(?:").replace("(?P<word>", "(?:")
)


def _mask(match: re.Match[str]) -> str:
    kind = _KINDS[(match.lastindex or 1) - 1]
    found = match.group()
    if kind in {"id", "number", "hex"} and _CONSTANTS.match(found):
        return found
    if kind == "url":
        return template_url(found)
    if kind == "path":
        return template_path(found)
    if kind == "number" and _ERRNO.search(match.string, 0, match.start()):
        return found if len(found) <= 5 else "<number>"
    return f"<{kind}>"


def _mask_cue(match: re.Match[str]) -> str:
    cue, join, word = match.group(1), match.group("join"), match.group("word")
    if word.lower() in _TEMPLATE_WORDS and not _is_value(join):
        return match.group()
    first, _, rest = word.partition(" ")
    if first.lower() in _TEMPLATE_WORDS and not _is_value(join):
        return f"{cue}{join}{first}" + (f" {rest}" if rest else "")
    if first.lower() in {"none", "null", "true", "false", "unknown"}:
        return match.group()
    return f"{cue}{join}<name>"


def _is_value(join: str) -> bool:
    """`username=will` names somebody; `user will` may be grammar."""
    return bool(_STRONG_JOIN.search(join))
