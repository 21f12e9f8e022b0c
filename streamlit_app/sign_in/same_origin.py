"""Where a request comes from: a page of ours, or another site's.

Here: what the headers say, and the token of our forms for browsers that say nothing. Not here: what is
done about it (`door`, `entrance`). Browsers set `Sec-Fetch-Site` themselves, where the address is one
they trust: https, or loopback. Elsewhere `Origin` tells; where that is absent or `null`, a form must hold
the token that belongs to the cookie it came with.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from streamlit_app.sign_in import doorman

COOKIE = "tta_monitor_form"
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_of_another_site(headers: Headers) -> bool:
    """Whether the browser says that another site made a page of ours do something."""
    return _vouched(headers) is False


def is_navigation(method: str, headers: Headers) -> bool:
    """Whether a person would see the answer; scripts and images get a status instead of a page."""
    mode = headers.get("sec-fetch-mode")
    is_shown = mode == "navigate" if mode else "text/html" in headers.get("accept", "")
    return method in READING and is_shown


def is_our_form(headers: Headers, nonce: str, token: str) -> bool:
    """Whether a form was sent from a page of ours."""
    vouched = _vouched(headers)
    return _is_token(nonce, token) if vouched is None else vouched


def is_our_link(headers: Headers) -> bool:
    """Whether somebody followed a link on a page of ours, as far as the browser tells."""
    site = headers.get("sec-fetch-site")
    return site == "same-origin" if site else bool(page_before(headers))


def page_before(headers: Headers) -> str:
    """Path and query of our page that a request was made from; empty for other sites' and none."""
    before = urlsplit(headers.get("referer", ""))
    if not before.netloc or before.netloc not in _our_hosts(headers):
        return ""
    return f"{before.path or '/'}?{before.query}" if before.query else before.path or "/"


def new_nonce(known: str | None) -> str:
    """What a browser keeps in the cookie; tabs of one browser share it."""
    return known if known and len(known) == 43 else secrets.token_urlsafe(32)


def token_of(nonce: str) -> str:
    """What a form holds that belongs to the cookie; nobody can make one without this home's key."""
    return hmac.new(doorman.form_secret(), nonce.encode(), hashlib.sha256).hexdigest()


def _is_token(nonce: str, token: str) -> bool:
    return bool(nonce) and hmac.compare_digest(token_of(nonce).encode(), token.encode())


def _vouched(headers: Headers) -> bool | None:
    """True and False when the browser knows; None when it does not say."""
    site = headers.get("sec-fetch-site")
    if site:
        # `none` is the person: an address typed, a page loaded again.
        return site in {"same-origin", "none"}
    origin = headers.get("origin", "null")
    return None if origin == "null" else urlsplit(origin).netloc in _our_hosts(headers)


def _our_hosts(headers: Headers) -> set[str]:
    """Host and port by which browsers reach the app, also through a proxy that names us otherwise."""
    return {headers.get("host", ""), urlsplit(doorman.app_url()).netloc} - {""}
