"""Firefox as the system has it, driven over its own WebSocket (WebDriver BiDi).

Playwright drives a patched Firefox of its own only. Here: the protocol. Not here: what a person does
(`visitors`).
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from tests.visitors import FIND, FIND_FIELD, NOTE_VIOLATIONS, wait_for

_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_ANSWER_S = 60
_LEFT_BUTTON = 0
# What a fresh profile would ask its makers for.
_QUIET = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "data:,",
}


class ScriptFailed(Exception):
    """The browser would not run a script, for instance because its page was being replaced."""


class Firefox:
    """One running browser."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire, self._last = wire, 0
        self._people: list[str] = []
        self.asked: dict[str, set[str]] = defaultdict(set)
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["network.beforeRequestSent"])
        self.call("script.addPreloadScript", functionDeclaration=f"() => {{{NOTE_VIOLATIONS}}}")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; meanwhile note whom pages ask."""
        self._last += 1
        self._wire.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            said = json.loads(self._wire.recv(timeout=_ANSWER_S))
            if said.get("method") == "network.beforeRequestSent":
                about = said["params"]
                there = urlsplit(about["request"]["url"])
                # A picture inside its own address asks nobody.
                if there.scheme != "data":
                    self.asked[about["context"]].add(there.netloc)
            if said.get("id") == self._last:
                if said["type"] == "error":
                    raise ScriptFailed(f"{method}: {said['error']}: {said['message']}")
                return said["result"]

    def somebody(self) -> "InFirefox":
        """A tab of somebody who shares no cookie with others."""
        self._people.append(self.call("browser.createUserContext")["userContext"])
        return InFirefox(self, self._people[-1])

    def everybody_leaves(self) -> None:
        """Close every tab and forget every cookie."""
        while self._people:
            self.call("browser.removeUserContext", userContext=self._people.pop())


class InFirefox:
    """A tab of Firefox."""

    def __init__(self, browser: Firefox, person: str) -> None:
        self._browser, self._person = browser, person
        opened = browser.call("browsingContext.create", type="tab", userContext=person)
        self._tab = opened["context"]

    @property
    def asked(self) -> set[str]:
        return self._browser.asked[self._tab]

    def opens(self, address: str) -> None:
        self._browser.call(
            "browsingContext.navigate", context=self._tab, url=address, wait="interactive"
        )

    def presses(self, name: str) -> None:
        self._click(self._element(FIND, name))

    def types(self, label: str, text: str) -> None:
        self._click(self._element(FIND_FIELD, label))
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": keys})

    def goes_back(self) -> None:
        self._browser.call("browsingContext.traverseHistory", context=self._tab, delta=-1)

    def another_tab(self) -> "InFirefox":
        return InFirefox(self._browser, self._person)

    def runs(self, script: str) -> Any:
        try:
            answer = self._browser.call(
                "script.evaluate",
                expression=f"JSON.stringify({script})",
                target={"context": self._tab},
                awaitPromise=True,
            )
        except ScriptFailed:  # The page is being replaced by the next one.
            return None
        value = answer.get("result", {}).get("value")
        return json.loads(value) if value else None

    def cookies(self) -> dict[str, str]:
        partition = {"type": "storageKey", "userContext": self._person}
        kept = self._browser.call("storage.getCookies", partition=partition)["cookies"]
        return {cookie["name"]: cookie["value"]["value"] for cookie in kept}

    def _element(self, find: str, name: str) -> dict[str, str]:
        def found() -> dict[str, str] | None:
            answer = self._browser.call(
                "script.callFunction",
                functionDeclaration=find,
                arguments=[{"type": "string", "value": name}],
                target={"context": self._tab},
                awaitPromise=False,
            )["result"]
            return {"sharedId": answer["sharedId"]} if answer["type"] == "node" else None

        return wait_for(found, lambda: f"nothing on the page is called {name!r}", 60)

    def _click(self, element: dict[str, str]) -> None:
        origin = {"type": "element", "element": element}
        steps = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": _LEFT_BUTTON},
            {"type": "pointerUp", "button": _LEFT_BUTTON},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": steps})

    def _act(self, source: dict[str, Any]) -> None:
        self._browser.call("input.performActions", context=self._tab, actions=[source])


def firefox_path() -> str | None:
    """The installed browser, or None."""
    return next((p for name in ("firefox-esr", "firefox") if (p := shutil.which(name))), None)


@contextmanager
def firefox(chosen: dict[str, str] | None = None) -> Iterator[Firefox]:
    """A headless Firefox with a profile of its own, in which some preferences may be chosen."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        said = Path(profile, "said.txt")
        preferences = (_QUIET | (chosen or {})).items()
        lines = (f"user_pref({json.dumps(n)}, {json.dumps(v)});\n" for n, v in preferences)
        Path(profile, "user.js").write_text("".join(lines))
        command = [firefox_path() or "firefox", "--headless", "--no-remote", "--profile", profile]
        with said.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--remote-debugging-port", "0"], stdout=output, stderr=output
            )
        try:
            listens = wait_for(
                lambda: _LISTENS.search(said.read_text(errors="replace")), said.read_text, 90
            )
            with connect(f"{listens[1]}/session", max_size=None) as wire:
                yield Firefox(wire)
        finally:
            process.terminate()
            process.wait(30)
