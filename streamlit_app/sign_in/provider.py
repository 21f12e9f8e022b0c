"""Signing in through an OpenID Connect provider: the way there, and the way back.

Here: the authorization code flow with PKCE, state and nonce, by Authlib. Not here: which claims make
whom (`privacy/access/claims`), sessions (`privacy/access/sessions`) and the sign-in page (`door`).
Streamlit's own `st.login` wraps the same library, but serves the app before anybody is known, keeps all
claims in a cookie of the browser and does not look at their expiry. Here a token is used once and
forgotten: what stays is a session on the server that ends with the token at the latest. State, nonce
and PKCE verifier are in the cookie that `entrance` wraps the two routes in.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ingestion.doors.client_secret import client_secret
from ingestion.settings import SettingsProblem
from ingestion.settings.access import OidcSettings
from privacy.access.claims import NotRecognised, recognise
from streamlit_app.sign_in import doorman

_LEEWAY_S = 60
"""How far the provider's clock may be ahead; `exp` itself has no leeway."""
# `none` and the HMAC ones are never good: their key is no secret of the provider's.
_ALGORITHMS = frozenset(
    "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split()
)
_SAID = {
    "unreachable": "The identity provider does not answer: try again, or sign in with a local account.",
    "role": "The identity provider knows you, but nothing it says gives you a role here: ask an admin.",
    "expired": "The identity provider's token has expired: sign in again.",
    "setup": "Signing in with the identity provider is not set up: `./tta.sh monitor doctor` names why.",
}
_REFUSED = "The identity provider's answer was not accepted: sign in again."


class ProviderRefusal(Exception):
    """Somebody who came from the provider is not let in; the message is for the page, `status` for HTTP."""

    def __init__(self, why: str) -> None:
        super().__init__(_SAID.get(why, _REFUSED))
        self.status = {"unreachable": 502, "setup": 503, "role": 403}.get(why, 401)


async def to_provider(request: Request, onward: str) -> Response:
    """Send the browser to the provider; raises ProviderRefusal."""
    try:
        client = _client()
        back = f"{doorman.app_url()}{doorman.FROM_PROVIDER}"
        answer = await client.authorize_redirect(request, back)
    except SettingsProblem:
        raise await _refused("setup") from None
    except (OAuthError, httpx.HTTPError, ValueError, RuntimeError):
        raise await _refused("unreachable") from None
    request.session["next"] = onward
    return answer


async def from_provider(request: Request) -> tuple[str, str]:
    """The secret of a new session and where the browser wanted to go; raises ProviderRefusal."""
    settings = doorman.settings()
    oidc, onward = settings.access.oidc, str(request.session.get("next", "/"))
    try:
        claims = await _claims(request, oidc)
        known = recognise(
            claims, role_claim=oidc.role_claim, roles=oidc.roles, now=datetime.now(UTC)
        )
    except SettingsProblem:
        raise await _refused("setup") from None
    except NotRecognised as refusal:
        raise await _refused(refusal.why) from None
    finally:
        request.session.clear()
    secret = await run_in_threadpool(
        doorman.identities().sessions.sign_in_recognised,
        oidc.issuer,
        known,
        hours=settings.access.session_hours,
    )
    return secret, onward


async def _claims(request: Request, oidc: OidcSettings) -> dict[str, Any]:
    """Claims of a token that this client asked for and this provider signed; raises NotRecognised."""
    try:
        client = _client()
        offered = await client.load_server_metadata()
        known = offered.get("id_token_signing_alg_values_supported") or []
        offered["id_token_signing_alg_values_supported"] = [
            name for name in known if name in _ALGORITHMS
        ] or ["RS256"]
        token = await client.authorize_access_token(
            request,
            claims_options={
                "iss": {"essential": True, "value": oidc.issuer},
                "aud": {"essential": True, "value": oidc.client_id},
            },
            leeway=_LEEWAY_S,
        )
    except OAuthError:
        raise NotRecognised("state_or_code") from None
    except httpx.HTTPError:
        raise NotRecognised("unreachable") from None
    except ExpiredTokenError:
        raise NotRecognised("expired") from None
    except (InvalidClaimError, MissingClaimError) as error:
        raise NotRecognised(f"claim_{_CLAIMS.get(error.claim, 'other')}") from None
    except (JoseError, ValueError, KeyError, TypeError, RuntimeError):
        raise NotRecognised("token") from None
    if not token.get("userinfo"):
        raise NotRecognised("token")
    return dict(token["userinfo"])


_CLAIMS = {name: name for name in "iss sub aud exp nbf iat nonce azp at_hash auth_time".split()}


async def _refused(why: str) -> ProviderRefusal:
    await run_in_threadpool(doorman.identities().sessions.refuse_provider, why)
    return ProviderRefusal(why)


@cache
def _client() -> Any:
    """Authlib's client, once per process: it remembers what the provider publishes about itself."""
    oidc = doorman.settings().access.oidc
    return OAuth().register(
        name="provider",
        client_id=oidc.client_id,
        client_secret=client_secret(oidc),
        server_metadata_url=f"{oidc.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": oidc.scope,
            "code_challenge_method": "S256",
            "timeout": 10,
            "trust_env": False,
        },
    )


def forget() -> None:
    """Forget the provider, for tests."""
    _client.cache_clear()
