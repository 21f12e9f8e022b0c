"""An OpenID Connect provider over real HTTP: discovery, a page to sign in on, tokens, keys.

It checks what a provider checks (client, redirect address, PKCE, one use of a code), and can be made to
answer wrongly: other claims, another key, another algorithm.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.processes import free_port

CLIENT, SECRET = "tta-monitor", "the-clients-secret-7f3a"


@dataclass
class Provider:
    """One provider; `claims` replaces what its tokens say, None leaves a claim out."""

    url: str
    redirect_uri: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    signs_with: RSAKey | None = None
    is_down: bool = False
    issued: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def settings(self, secret_file: str) -> dict[str, Any]:
        """`access.oidc` of an app that trusts it."""
        return {
            "issuer": self.url,
            "client_id": CLIENT,
            "client_secret_file": secret_file,
            "role_claim": "realm_access.roles",
            "roles": {"tta-privacy": "privacy_officer", "tta-operators": "operator"},
            "label": "Clinic login",
        }

    def routes(self) -> list[Route]:
        """What it serves."""
        return [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/authorize", self._authorize, methods=["GET", "POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/jwks", lambda _: JSONResponse({"keys": [self.key.as_dict(private=False)]})),
        ]

    async def _discovery(self, _: Request) -> Response:
        if self.is_down:
            return Response(status_code=503)
        algorithms = ["RS256", "HS256", "none"]
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "id_token_signing_alg_values_supported": algorithms,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == self.redirect_uri
        if request.method == "GET":
            return HTMLResponse('<form method="post"><button>I am Ada</button></form>')
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        told = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{told}", 303)

    async def _token(self, request: Request) -> Response:
        form = dict(await request.form())
        given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {given}":
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self._codes.pop(str(form.get("code")), None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        hashed = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        if _base64url(hashed) != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = self.id_token(asked.get("nonce", ""))
        self.issued.append(token)
        return JSONResponse(
            {"access_token": "opaque", "token_type": "Bearer", "id_token": token, "expires_in": 60}
        )

    def id_token(self, nonce: str) -> str:
        """A token of this provider as it answers now."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": "ada-4711",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Ada Lovelace",
            "email": "ada@clinic.example",
            "realm_access": {"roles": ["offline_access", "tta-operators"]},
        }
        claims = {k: v for k, v in (claims | self.claims).items() if v is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "HS256":  # signed with what everybody knows: the public key
            return _signed_by(self.key.as_pem(private=False), header, claims)
        if self.algorithm == "none":
            return f"{_unsigned({'alg': 'none'}, claims)}."
        return jwt.encode(header, claims, self.signs_with or self.key)


def _signed_by(secret: bytes, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """HMAC-SHA256 by hand: the library refuses to sign with a public key."""
    body = _unsigned(header, claims)
    return f"{body}.{_base64url(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@contextmanager
def identity_provider() -> Iterator[Provider]:
    """A provider that runs in a thread."""
    port = free_port()
    provider = Provider(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=provider.routes()), host="127.0.0.1", port=port, log_level="error"
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
