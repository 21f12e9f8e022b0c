"""How a scrape job speaks to its targets: authorisation, TLS, proxy, headers.

Here: the HTTP keys of a scrape configuration. Not here: jobs (`jobs`) and requests
(`scraper`). Source: Prometheus configuration reference, `http_config`. `oauth2` is not supported.
"""

import re
import ssl
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HTTP_KEYS = frozenset(
    """basic_auth authorization bearer_token bearer_token_file tls_config proxy_url
    follow_redirects http_headers""".split()
)
_PROXY = re.compile(r"https?://[^\s/]+/?")
_TLS_KEYS = frozenset("ca_file cert_file key_file insecure_skip_verify".split())


@dataclass(frozen=True)
class Http:
    """What a connection needs that is not the usual."""

    verify: ssl.SSLContext | bool = True
    proxy_url: str | None = None
    follow_redirects: bool = True


PLAIN = Http()
"""A connection as most targets have it."""


def read_http(job: dict[str, Any], folder: Path) -> tuple[Http, dict[str, str]]:
    """Connection and headers of a job; files are relative to `folder`. Raises ValueError, OSError."""
    follows = str(job.get("follow_redirects") or "true").lower() == "true"
    proxy_url = str(job.get("proxy_url") or "")
    if proxy_url and not _PROXY.fullmatch(proxy_url):
        raise ValueError("proxy_url must be an http or https address")
    http = Http(_verify(job.get("tls_config"), folder), proxy_url or None, follows)
    headers = {**_headers(job.get("http_headers"), folder), **_authorization(job, folder)}
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise ValueError("a header or secret holds characters that HTTP cannot send")
    return (PLAIN if http == PLAIN else http), headers


def _authorization(job: dict[str, Any], folder: Path) -> dict[str, str]:
    ways = [
        k
        for k in ("basic_auth", "authorization", "bearer_token", "bearer_token_file")
        if job.get(k)
    ]
    if len(ways) > 1:
        raise ValueError(f"{' and '.join(ways)} exclude each other")
    if basic := job.get("basic_auth"):
        _known("basic_auth", basic, {"username", "username_file", "password", "password_file"})
        both = f"{_secret(basic, 'username', folder)}:{_secret(basic, 'password', folder)}"
        return {"Authorization": f"Basic {b64encode(both.encode()).decode()}"}
    if given := job.get("authorization"):
        _known("authorization", given, {"type", "credentials", "credentials_file"})
        secret = _secret(given, "credentials", folder)
        return {"Authorization": f"{given.get('type') or 'Bearer'} {secret}"}
    if ways:
        return {"Authorization": f"Bearer {_secret(job, 'bearer_token', folder)}"}
    return {}


def _headers(given: Any, folder: Path) -> dict[str, str]:
    """`http_headers`: several values of one name go out as one, as HTTP allows."""
    found: dict[str, str] = {}
    for name, sources in (given or {}).items():
        _known(f"http_headers {name}", sources, {"values", "secrets", "files"})
        values = [*(sources.get("values") or []), *(sources.get("secrets") or [])]
        values += [(folder / file).read_text().strip() for file in sources.get("files") or []]
        found[str(name)] = ", ".join(map(str, values))
    return found


def _verify(given: Any, folder: Path) -> ssl.SSLContext | bool:
    if not given:
        return True
    _known("tls_config", given, _TLS_KEYS)
    if bool(given.get("cert_file")) != bool(given.get("key_file")):
        raise ValueError("tls_config needs cert_file and key_file together")
    ca_file = given.get("ca_file")
    context = ssl.create_default_context(cafile=str(folder / ca_file) if ca_file else None)
    if str(given.get("insecure_skip_verify", "")).lower() == "true":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if given.get("cert_file"):
        context.load_cert_chain(folder / given["cert_file"], folder / given["key_file"])
    return context


def _known(what: str, given: Any, keys: set[str] | frozenset[str]) -> None:
    if not isinstance(given, dict):
        raise ValueError(f"{what} must be a mapping")
    if unknown := sorted(set(map(str, given)) - keys):
        raise ValueError(f"{what}: {', '.join(unknown)} is not supported")


def _secret(given: dict[str, Any], name: str, folder: Path) -> str:
    if given.get(name):
        return str(given[name])
    if given.get(f"{name}_file"):
        return (folder / given[f"{name}_file"]).read_text().strip()
    return ""
