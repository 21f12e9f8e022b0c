"""Reports on their way out: by mail or another of Apprise's services, or to a webhook.

Here: which addresses a report has, one attempt over each, how it went in words. Not here: alerts and their
channels (`live_tail/alerts/notify`). Addresses are secrets: they are read from files of mode 0600 and never
told. Nothing leaves unless `reports.deliver` says so.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dagster_project.reporting import keeping
from dagster_project.reporting.document.report_document import Document
from dagster_project.reporting.keeping import Entry
from ingestion.settings import Settings
from ingestion.settings.section import LOOPBACK
from privacy.disk.owner_only import NotReadable, owner_only_text
from privacy.process_log.log import logger

_TIMEOUT_S = 20.0
_EVERY_OTHER = "*"
_log = logger()


class DeliveryProblem(Exception):
    """An attempt failed; the message is a constant or an exception's type, never an address."""


def deliver(settings: Settings, entry: Entry, document: Document) -> Entry:
    """One attempt over each address of the report; the history says how each went."""
    by_report = settings.reports.deliver
    files = by_report.get(entry.kind, by_report.get(_EVERY_OTHER, []))
    if not files:
        return entry
    told = tuple(_told(settings, file, entry, document) for file in files)
    return keeping.note_delivery(settings, entry, told)


def _told(settings: Settings, file: Path, entry: Entry, document: Document) -> str:
    try:
        _send(_address(settings.home / file), settings, entry, document)
    except DeliveryProblem as problem:
        _log.error("a report was not delivered", cause="DeliveryProblem")
        return f"{file.name}: not delivered ({problem})"
    return f"{file.name}: delivered"


def _address(file: Path) -> str:
    try:
        return owner_only_text(file)
    except NotReadable as problem:
        raise DeliveryProblem(f"the file {problem}") from None


def _send(address: str, settings: Settings, entry: Entry, document: Document) -> None:
    if urlsplit(address).scheme in {"http", "https"}:
        _post(address, document.record())
    else:
        _apprise(address, document, keeping.file_of(settings, entry, "pdf"))


def _post(address: str, content: dict[str, Any]) -> None:
    import httpx  # noqa: PLC0415 - twenty megabytes, for homes that have a webhook

    is_near = (urlsplit(address).hostname or "") in LOOPBACK
    try:
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=not is_near) as client:
            answer = client.post(
                address,
                json=content,
                headers={"Idempotency-Key": content["edition"], "User-Agent": "tta-monitor"},
            )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        raise DeliveryProblem(type(error).__name__) from None
    if not answer.is_success:
        raise DeliveryProblem(f"HTTP {answer.status_code}")


def _apprise(address: str, document: Document, pdf: Path) -> None:
    import apprise  # noqa: PLC0415 - takes half a second to import; most homes have no such address

    service = apprise.Apprise.instantiate(address)
    if not isinstance(service, apprise.NotifyBase):
        raise DeliveryProblem("Apprise does not know this kind of address")
    service.socket_connect_timeout = service.socket_read_timeout = _TIMEOUT_S
    sender = apprise.Apprise()
    sender.add(service)
    figures = "\n".join(f"{f.name}: {f.words} {f.change_words}".rstrip() for f in document.figures)
    try:
        is_sent = sender.notify(
            title=f"{document.title}, {document.period.label}",
            body=f"{document.verdict}\n\n{figures}\n\nEdition {document.edition}",
            attach=str(pdf) if service.attachment_support else None,
        )
    except Exception as error:  # noqa: BLE001 - a plugin's error may quote the address
        raise DeliveryProblem(type(error).__name__) from None
    if not is_sent:
        raise DeliveryProblem("the service did not accept it")
