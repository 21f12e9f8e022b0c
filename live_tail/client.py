"""A small client of the live query API, for the app, the CLI and notebooks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ingestion.service_token import service_token
from ingestion.settings import Settings
from live_tail.access import ACTING_FOR
from privacy.keys import KeyStore


class LiveUnavailable(Exception):
    """The live tail does not answer; the message names the cause and the fix."""


@dataclass(frozen=True)
class LiveAnswer:
    """Rows of a named query with the age of the newest data."""

    name: str
    as_of: str
    lag_ms: float | None
    rows: list[dict[str, Any]]


class LiveClient:
    """Asks the live tail; one per process is enough."""

    def __init__(self, base_url: str, *, token: str = "", timeout_s: float = 5.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=base_url, timeout=timeout_s, headers=headers)

    @classmethod
    def of(cls, settings: Settings) -> "LiveClient":
        """The client for these settings, with the token of `access.token_file` or the home's own."""
        given = settings.access.token_file
        token = given.read_text().strip() if given else service_token(KeyStore.open(settings.home))
        return cls(f"http://{settings.live.host}:{settings.live.port}", token=token)

    def query(self, name: str, **parameters: Any) -> LiveAnswer:
        """The answer of a named query; raises LiveUnavailable, or ValueError for bad parameters."""
        body = self._get(
            f"/api/v1/query/{name}", {k: v for k, v in parameters.items() if v is not None}
        )
        return LiveAnswer(body["name"], body["as_of"], body["lag_ms"], body["rows"])

    def get(self, path: str, **parameters: Any) -> Any:
        """JSON of another path of the API; raises as `query` does."""
        return self._get(path, parameters)

    def post(self, path: str, *, acting_for: str = "", **body: Any) -> dict[str, Any]:
        """Change something; raises LiveUnavailable, or ValueError with the API's own sentence.

        `acting_for` is the account that the caller has already asked the policy for.
        """
        headers = {ACTING_FOR: acting_for} if acting_for else {}
        return self._answer(lambda: self._http.post(path, json=body, headers=headers))

    def _get(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return self._answer(lambda: self._http.get(path, params=dict(parameters)))

    def _answer(self, ask: Callable[[], httpx.Response]) -> dict[str, Any]:
        try:
            response = ask()
        except httpx.HTTPError as error:
            raise LiveUnavailable(
                f"the live tail at {self._http.base_url} does not answer ({type(error).__name__}): "
                "run `./tta.sh monitor up`, or see `./tta.sh monitor status`."
            ) from None
        if response.status_code in {400, 403, 404}:
            raise ValueError(response.json()["error"])
        if response.is_error:
            raise LiveUnavailable(
                f"the live tail answered {response.status_code}: see `./tta.sh monitor status`."
            )
        return response.json()
