# ruff: noqa: E501 - a pattern reads better unbroken
"""Components: an unknown word that a role of programs is joined to, or that logs under a process number.

Here: `metallb-speaker`, `zabbix_agentd`, `tideline-prod`, `qzarwd[812]:`: what nobody knows there is what a
program, a part of a deployment or a queue is called, unless somebody or some place is called so too. Not here:
names under which software is published (`packages`), words that are software's everywhere (`vocabulary/lexicon`).
"""

import re

from privacy.detection.shapes.constants import is_constant
from privacy.detection.vocabulary.lexicon import (
    is_in_names,
    is_only_a_name,
    is_operations_word,
    is_program_word,
    is_software_word,
)

ROLES = frozenset(
    """agent agentd aggregator alerts api app apps archive archiver auth backend backup backups bench benchmark
    blue bridge broker bucket builder bus cache canary cdn chart charts cli cluster codec collector compose
    config conn connector consumer controller core crd cron cronjob csi daemon daemonset dashboard datasource
    db debug dedup deploy deployment dev discovery dispatcher dlq dns driver edge egress elasticsearch
    emulator encoder engine etl events executor exporter exporters fetcher filter firewall frontend fs
    gateway gateways generator graphql green grpc gui gw handler headless hook hooks hpa http httpd idx
    importer index indexer infra ingest ingester ingress init injector installer instance instances job jobs
    json kafka kernel lambda lb ldap lib libs listener loader lock locks log logger logs mailer main mcp mesh
    metrics middleware migration migrations mirror mock model module monitor mount mq mysql nginx node nodes
    notifier ns oauth operator orm parser pipeline pipelines plugin plugins pod pods policy poller pool
    postgres postgresql prd predictor preprod primary prober processor prod production provider provisioner
    proxy publisher puller pusher pvc python queue queues rabbitmq reconciler redis registry relay reloader
    replica replicas repo resolver retry router rpc rule rules runner runtime sa sandbox scheduler schema
    scraper sdk search secondary secret secrets serializer server servers service services shard shards
    sidecar sink spark sql ssh sso stack staging standby stats stg storage store stream streams sub subnet
    svc sync syncer sysctl table tables target task tasks tcp telemetry test tests tf tls topic topics tracer
    transformer uat ui updater upstream utils validator vault vol volume vpc watch watcher web webapp webhook
    webhooks websocket worker workers ws wsgi""".split()
)
"""Parts of a deployment and what programs do, as they are written behind or in front of a component's name."""
_PIECE_BEFORE = re.compile(r"(?<![^\W_])(?P<piece>[A-Za-z]{2,24})[_-]\Z")
_PIECE_AFTER = re.compile(r"[_-](?P<piece>[A-Za-z]{2,24})(?![^\W_])")
_NAME = re.compile(r"[a-z]{3,24}\Z")
# A process number, of which a line without its formats holds only the place.
_PROCESS = re.compile(r"\[[\d\x01]{1,7}\]:?\s")
_LONGEST = 26


def is_of_a_component(text: str, start: int, end: int) -> bool:
    """Whether an unknown word of a text is the name of a component where it stands."""
    word = text[start:end]
    if not _NAME.match(word) or is_in_names(word):
        return False
    if _PROCESS.match(text, end) and text[start - 1 : start] in {"", " "}:
        return True
    if start == 0 and (told := _TAG.match(text, end)):
        return _is_of_a_program(told["message"])
    if _KIND_BEFORE.search(text, max(0, start - _LONGEST), start):
        return _ENDS_NAME.match(text, end) is not None
    before = _PIECE_BEFORE.search(text, max(0, start - _LONGEST), start)
    after = _PIECE_AFTER.match(text, end)
    if any(m is not None and m["piece"].lower() in ROLES for m in (before, after)):
        return True
    return "." in {text[start - 1 : start], text[end : end + 1]} and _is_of_a_path(text, start, end)


_TAG = re.compile(r":\s(?P<message>[^\n=]{8,200})\Z")
_WORDS = re.compile(r"[^\W\d_]+")
_SPEECH = frozenset(
    "i you we he she me my your our us him her hi hello hey thanks thank please pls lol ok okay yes no not im dont can".split()
)
_FEWEST_OF_A_MESSAGE = 2


def _is_of_a_program(message: str) -> bool:
    """`smartd: device opened, 8 pending sectors`: no speech, a third of its known words those of programs."""
    words = _WORDS.findall(message)
    lower = [w.lower() for w in words]
    if not _SPEECH.isdisjoint(lower) or any(
        w[0].isupper() and is_in_names(w.lower()) for w in words
    ):
        return False
    known = [w for w in lower if len(w) > 2 and is_operations_word(w)]
    telling = sum(is_program_word(w) or is_software_word(w) for w in known)
    return telling >= _FEWEST_OF_A_MESSAGE and 3 * telling >= len(known)


# `gem devise`, `kernel: usbhid`: what stands behind such a word has a name that no person has.
_KIND_BEFORE = re.compile(
    r"(?:\b(?:gem|crate|package|packages|module|plugin|library|chart|extension|crd|queue|topic|index|metric|gauge|counter|histogram|job|cronjob|task|pod|container|deployment|daemonset"
    r"|statefulset|configmap|ingress|ingressclass|serviceaccount|exchange|dag|pipeline|operator|component|exporter|dataset|schema|relation|column|rule|scenario|middleware|daemon|driver module"
    r"|image|engine|backend|executor|widget|hook|codec|stack|asset|migration|processor|collector|receiver|datasource)|^kernel:|\skernel:)\s[\"'`]?\Z"
)
_ENDS_NAME = re.compile(r"(?:[-_.]\w{1,24}){0,4}[\"'`]?(?=[\s,:;)]|\Z)")


def _is_of_a_path(text: str, start: int, end: int) -> bool:
    """`numba.core.byteflow`, `intro.tscn`: a part beside two words of programs, or the ending of a file."""
    left = _CHAIN_BEFORE.search(text, max(0, start - 3 * _LONGEST), start)
    if left is None:
        return False  # `grumpybee.dyn.example.net`: machines are called after people
    right = _CHAIN_AFTER.match(text, end)
    others = [p.lower() for m in (left, right) if m is not None for p in _LETTERS.findall(m[0])]
    if len(others) > 1:
        return any(is_program_word(p) or is_software_word(p) for p in others) and all(
            is_operations_word(p) and not is_only_a_name(p) for p in others
        )
    is_ending = right is None and end - start < _LONGEST_ENDING
    return is_ending and all(is_constant(p) and not is_in_names(p) for p in others)


_CHAIN_BEFORE = re.compile(r"(?<![\w@-])(?:[A-Za-z][A-Za-z\d_]{1,24}\.){1,5}\Z")
_CHAIN_AFTER = re.compile(r"(?:\.[A-Za-z][A-Za-z\d_]{1,24}){1,5}(?![\w@-])")
_LETTERS = re.compile(r"[A-Za-z]+")
_LONGEST_ENDING = 5
