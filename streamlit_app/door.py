"""The app's door: sign-in page, sign-out, and a middleware that lets only sessions pass.

Here: HTTP and the cookie. Not here: accounts (`privacy/accounts`), the conversation with an identity
provider (`provider`) and what a role may see (`gate`).
The session's secret is in a cookie that scripts cannot read; roles never leave the server.
"""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from privacy.accounts import NotSignedIn
from streamlit_app import provider
from streamlit_app.doorman import COOKIE, accounts, is_open, settings
from streamlit_app.sign_in_page import page

_OPEN = (
    "/sign-in",
    provider.START,
    provider.CALLBACK,
    "/sign-out",
    "/app/static/",
    "/_stcore/health",
    "/_stcore/script-health-check",
)
_MAX_FORM_BYTES = 8_192


class Door:
    """ASGI middleware over everything that Streamlit serves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a session on; send anybody else to the sign-in page."""
        if scope["type"] not in {"http", "websocket"} or _is_free(scope["path"]):
            await self._app(scope, receive, send)
            return
        secret = cookie_of(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
        if is_open() or (secret and await run_in_threadpool(accounts().session, secret)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            target = f"/sign-in?next={quote(scope['path'])}"
            await RedirectResponse(target, 303)(scope, receive, send)


def cookie_of(header: str) -> str | None:
    """The session's secret in a Cookie header."""
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def routes() -> list[BaseRoute]:
    """The routes that need no session."""
    state = [Middleware(provider.StateCookie)]
    return [
        Route("/sign-in", sign_in, methods=["GET", "POST"]),
        Route(provider.START, to_provider, methods=["GET"], middleware=state),
        Route(provider.CALLBACK, from_provider, methods=["GET"], middleware=state),
        Route("/sign-out", sign_out, methods=["GET"]),
    ]


async def sign_in(request: Request) -> Response:
    """The page, and what its form sends."""
    onward = _local(request.query_params.get("next", "/"))
    link = request.query_params.get("link", "")
    if request.method == "GET":
        return _shown(page(onward=onward, has_link=bool(link), provider=provider.label()))
    if not _is_same_origin(request):
        return _shown(_again(onward, "This form came from another site."), 403)
    body = await request.body()
    form = parse_qs(body[:_MAX_FORM_BYTES].decode(errors="replace"))
    name, password = form.get("name", [""])[0], form.get("password", [""])[0]
    hours = settings().access.session_hours
    try:
        if link:
            secret = await run_in_threadpool(accounts().use_link, link, hours=hours)
        else:
            secret = await run_in_threadpool(accounts().sign_in, name, password, hours=hours)
    except NotSignedIn as problem:
        words = "This link was used or has expired." if link else str(problem).capitalize()
        return _shown(_again(onward, words), 401)
    return _signed_in(request, secret, onward)


async def to_provider(request: Request) -> Response:
    """Off to the identity provider."""
    onward = _local(request.query_params.get("next", "/"))
    try:
        return await provider.to_provider(request, onward)
    except provider.ProviderRefusal as refusal:
        return _shown(_again(onward, str(refusal)), refusal.status)


async def from_provider(request: Request) -> Response:
    """Back from it: a session, or the sign-in page with the reason."""
    try:
        secret, onward = await provider.from_provider(request)
    except provider.ProviderRefusal as refusal:
        return _shown(_again("/", str(refusal)), refusal.status)
    return _signed_in(request, secret, _local(onward))


def _signed_in(request: Request, secret: str, onward: str) -> Response:
    answer = RedirectResponse(onward, 303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(settings().access.session_hours * 3_600),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or provider.is_secure(),
    )
    return answer


async def sign_out(request: Request) -> Response:
    """End the session."""
    secret = cookie_of(request.headers.get("cookie", ""))
    if secret:
        await run_in_threadpool(accounts().sign_out, secret)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _again(onward: str, problem: str) -> str:
    return page(onward=onward, problem=problem, provider=provider.label())


def _shown(html: str, status: int = 200) -> HTMLResponse:
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; form-action 'self'"
        ),
    }
    return HTMLResponse(html, status, headers)


def _is_free(path: str) -> bool:
    return any(path == free or (free.endswith("/") and path.startswith(free)) for free in _OPEN)


def _is_same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _local(target: str) -> str:
    """A path of this app, never another site."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_path and target.isprintable() else "/"
