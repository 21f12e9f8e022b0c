"""A small client of the live query API, for the app, the CLI and notebooks.

On `http.client`: a command that asks once would pay more for importing a larger one than for asking.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from ingestion.doors.service_token import service_token
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore

ACTING_FOR = "X-Acting-For"
"""The account for which a process of this home asks; nobody else is believed."""


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
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._base_url, self._timeout_s = base_url, timeout_s

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
        headers = {"Content-Type": "application/json"}
        if acting_for:
            headers[ACTING_FOR] = acting_for
        return self._ask("POST", path, json.dumps(body), headers)

    def _get(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        query = urlencode(dict(parameters), doseq=True)
        return self._ask("GET", f"{path}?{query}" if query else path, None, {})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
        try:
            status, text = self.exchange(method, path, body, {**self._headers, **headers})
        except (OSError, http.client.HTTPException) as error:
            raise LiveUnavailable(
                f"the live tail at {self._base_url} does not answer ({type(error).__name__}): "
                "run `./tta.sh monitor up`, or see `./tta.sh monitor status`."
            ) from None
        if status in {400, 403, 404}:
            raise ValueError(json.loads(text)["error"])
        if status >= 400:
            raise LiveUnavailable(
                f"the live tail answered {status}: see `./tta.sh monitor status`."
            )
        return json.loads(text)

    def exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """One request over a connection of its own: status and body. Raises OSError."""
        parts = urlsplit(self._base_url)
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=self._timeout_s
        )
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
