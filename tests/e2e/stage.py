"""What the routes share: the running processes, the texts, and what goes out of them.

Here: the stage, and what stands beside it (a scraped target, a webhook's other end, a process with a
fault). Not here: sending (`routes` names where).
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx

from tests.conftest import ROOT
from tests.e2e.canaries import Canary
from tests.processes import Running


@dataclass
class Stage:
    """Running processes over a home, texts to send, and a folder outside the home for what goes out."""

    processes: Running
    canaries: list[Canary]
    outside: Path
    inputs: Path
    hook: str = ""
    used: set[str] = field(default_factory=set)

    @property
    def home(self) -> Path:
        """The data home that is scanned."""
        return self.processes.settings.home

    def some(self, part: int, of: int = 8) -> list[Canary]:
        """A slice with every kind in it."""
        return self.canaries[
            part * len(self.canaries) // of : (part + 1) * len(self.canaries) // of
        ]

    def texts(self, name: str, canaries: Sequence[Canary]) -> Path:
        """A file of texts, outside the home."""
        file = self.inputs / name
        file.write_text("\n".join(c.text for c in canaries))
        return file

    def heard(self, name: str, said: bytes) -> None:
        """Keep what went out, to be looked through."""
        with (self.outside / name).open("ab") as file:
            file.write(said + b"\n")


Sender = Callable[[Stage], Iterator[str]]


Sender = Callable[[Stage], Iterator[str]]


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def listening(folder: Path) -> Iterator[str]:
    """A webhook's other end that keeps every byte it is sent."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = door.accept()
            except OSError:
                return
            Thread(target=keep, args=(peer,), daemon=True).start()

    def keep(peer: socket.socket) -> None:
        with peer, (folder / "wire.bin").open("ab") as wire:
            said = b""
            while piece := peer.recv(65_536):
                said += piece
                wire.write(piece)
                wire.flush()
                head, _, body = said.partition(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
                if len(body) >= length:
                    peer.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                    return

    Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{door.getsockname()[1]}/hook"
    door.close()


@contextmanager
def beside(stage: Stage, *arguments: str) -> Iterator[None]:
    """`python -m` with these arguments over the home, until it is asked to end."""
    with (stage.home / "processes.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT, env=stage.processes.environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def until(is_so: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False
