"""The way in and out: sign-in page, identity provider, sign-out, and the app's icon.

Here: the routes that need no session, and the cookie. Not here: who passes (`door`), accounts
(`privacy/access/identities`), the conversation with a provider (`provider`) and how the page looks
(`sign_in_page`).
"""

from pathlib import Path
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from privacy.access.sessions import NotSignedIn, Session
from streamlit_app.sign_in import same_origin
from streamlit_app.sign_in.doorman import (
    COOKIE,
    FROM_PROVIDER,
    TO_PROVIDER,
    identities,
    is_open,
    is_secure,
    provider_label,
    settings,
    state_secret,
)
from streamlit_app.sign_in.safe_answers import PLAIN_POLICY
from streamlit_app.sign_in.sign_in_page import Asked, page, sign_out_page

_ICONS = ("/favicon.png", "/favicon.ico")
PATHS = ("/sign-in", TO_PROVIDER, FROM_PROVIDER, "/sign-out", *_ICONS)
_ICON = Path(__file__).parents[1] / "static" / "icon.png"
_MAX_FORM_BYTES = 8_192
_STATE_S = 600
"""How long somebody may take at the identity provider."""
_FOREIGN = "This form came from another site: sign in here."
_SPENT = "This link was used or has expired: each works once. Ask for a new one."
_BECAUSE = {
    "ended": "Your session has ended. Sign in to go on where you were.",
    "out": "You are signed out.",
}


def routes() -> list[BaseRoute]:
    """The routes that need no session; the icon stands where Streamlit's page looks for its own."""
    state = [Middleware(StateCookie)]
    return [
        Route("/sign-in", sign_in, methods=["GET", "POST"]),
        Route(TO_PROVIDER, to_provider, methods=["GET"], middleware=state),
        Route(FROM_PROVIDER, from_provider, methods=["GET"], middleware=state),
        Route("/sign-out", sign_out, methods=["GET", "POST"]),
        *(Route(path, icon, methods=["GET"]) for path in _ICONS),
    ]


class StateCookie:
    """ASGI middleware of the provider's routes: `request.session`, signed by a key of this home."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read and write the cookie around a request."""
        signed = SessionMiddleware(
            self._app,
            secret_key=state_secret(),
            session_cookie="tta_monitor_state",
            max_age=_STATE_S,
            path=TO_PROVIDER,
            https_only=is_secure(),
        )
        await signed(scope, receive, send)


async def sign_in(request: Request) -> Response:
    """The page, and what its form sends."""
    link = request.query_params.get("link", "")
    if request.method != "POST":
        return await _page_for(request, link)
    form = await _form(request)
    if form is None:
        return _shown(request, 403, problem=_FOREIGN, has_link=bool(link))
    hours = settings().access.session_hours
    try:
        if link:
            secret = await run_in_threadpool(identities().links.use, link, hours=hours)
        else:
            name, password = form.get("name", ""), form.get("password", "")
            secret = await run_in_threadpool(
                identities().sessions.sign_in, name, password, hours=hours
            )
    except NotSignedIn as problem:
        words = _SPENT if link else str(problem).capitalize()
        return _shown(request, 401, problem=words, session=await _session(request))
    return await _signed_in(request, secret, _onward(request))


async def _page_for(request: Request, link: str) -> Response:
    """Nothing to do for whoever is in; a link is not spent by looking at it, and a dead one says so."""
    session = await _session(request)
    if not link:
        if session or is_open():
            return RedirectResponse(_onward(request), 303)
        return _shown(request, notice=_BECAUSE.get(request.query_params.get("because", ""), ""))
    if await run_in_threadpool(identities().links.is_good, link):
        return _shown(request, has_link=True, session=session)
    return _shown(request, 410, problem=_SPENT, session=session)


async def to_provider(request: Request) -> Response:
    """Off to the identity provider."""
    from streamlit_app.sign_in import provider  # noqa: PLC0415 - 7 MB for whoever has none

    try:
        return await provider.to_provider(request, _onward(request))
    except provider.ProviderRefusal as refusal:
        return _shown(request, refusal.status, problem=str(refusal))


async def from_provider(request: Request) -> Response:
    """Back from it: a session, or the sign-in page with the reason."""
    from streamlit_app.sign_in import provider  # noqa: PLC0415 - 7 MB for whoever has none

    try:
        secret, onward = await provider.from_provider(request)
    except provider.ProviderRefusal as refusal:
        return _shown(request, refusal.status, problem=str(refusal), onward="/")
    return await _signed_in(request, secret, _local(onward))


async def sign_out(request: Request) -> Response:
    """End the session; a link that stands elsewhere, or an address typed, is asked about first."""
    if request.method == "POST":
        is_sure = await _form(request) is not None
    else:
        is_sure = same_origin.is_our_link(request.headers)
    if not is_sure and await _session(request):
        nonce = same_origin.new_nonce(request.cookies.get(same_origin.COOKIE))
        return _html(sign_out_page(same_origin.token_of(nonce)), 200, nonce)
    await _end_session(request)
    answer = RedirectResponse("/sign-in?because=out", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer


def icon(_: Request) -> Response:
    """The product's icon."""
    return FileResponse(_ICON, headers={"Cache-Control": "public, max-age=86400"})


async def _signed_in(request: Request, secret: str, onward: str) -> Response:
    await _end_session(request)
    answer = RedirectResponse(onward, 303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(settings().access.session_hours * 3_600),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or is_secure(),
    )
    return answer


async def _session(request: Request) -> Session | None:
    secret = request.cookies.get(COOKIE)
    return await run_in_threadpool(identities().sessions.find, secret) if secret else None


async def _end_session(request: Request) -> None:
    """Whoever signs in anew leaves no session behind."""
    secret = request.cookies.get(COOKIE)
    if secret:
        await run_in_threadpool(identities().sessions.sign_out, secret)


async def _form(request: Request) -> dict[str, str] | None:
    """What our form holds; None for another site's, and for one that is far too long."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_FORM_BYTES:
            return None
    form = {name: given[0] for name, given in parse_qs(body.decode(errors="replace")).items()}
    nonce = request.cookies.get(same_origin.COOKIE, "")
    is_ours = same_origin.is_our_form(request.headers, nonce, form.get("token", ""))
    return form if is_ours else None


def _shown(
    request: Request,
    status: int = 200,
    *,
    onward: str | None = None,
    problem: str = "",
    notice: str = "",
    has_link: bool = False,
    session: Session | None = None,
) -> Response:
    nonce = same_origin.new_nonce(request.cookies.get(same_origin.COOKIE))
    asked = Asked(
        onward=onward or _onward(request),
        token=same_origin.token_of(nonce),
        problem=problem,
        notice=notice,
        link=request.query_params.get("link", "") if has_link else "",
        is_signed_in=session is not None,
        provider=provider_label(),
    )
    return _html(page(asked), status, nonce)


def _html(html: str, status: int, nonce: str) -> HTMLResponse:
    answer = HTMLResponse(html, status, {"Content-Security-Policy": PLAIN_POLICY})
    answer.set_cookie(same_origin.COOKIE, nonce, httponly=True, samesite="lax", secure=is_secure())
    return answer


def _onward(request: Request) -> str:
    """Where to go once signed in: what was asked for, or the page that was open before."""
    return _local(request.query_params.get("next") or same_origin.page_before(request.headers))


def _local(target: str) -> str:
    """A page of this app, never another site, and never the way in or out."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    is_page = target.partition("?")[0] not in PATHS
    return target if is_path and is_page and target.isprintable() else "/"
