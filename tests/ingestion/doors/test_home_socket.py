"""A home's own processes reach each other by a socket that nobody else opens, whatever the home is called."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ingestion.doors.home_socket import SocketConnection, is_own, listen
from tests.second_user import as_second_user, needs_root

LONG = "a data home whose path is longer than what a socket's address takes " * 3


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def world() -> Iterator[Path]:
    """A folder in which everybody may put things, as `/tmp`."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


def _served(listening: socket.socket) -> HTTPServer:
    server = HTTPServer(("127.0.0.1", 0), _Answers, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _asked(path: Path) -> bytes:
    connection = SocketConnection(path, 5)
    connection.request("GET", "/")
    return connection.getresponse().read()


@pytest.mark.parametrize("folder", ["run", LONG])
def test_it_is_the_owners_alone_and_answers_whatever_the_path(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "one.sock"
    server = _served(listen(path))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert _asked(path) == b"here"
    server.shutdown()
    server.server_close()


def test_what_a_dead_process_left_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "run" / "one.sock"
    listen(path).close()
    assert path.exists()
    living = listen(path)
    with pytest.raises(OSError, match="another process of this home"):
        listen(path)
    living.close()


def test_a_folder_that_was_open_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    listen(folder / "one.sock").close()
    assert folder.stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_second_user_can_neither_connect_nor_put_another_socket_in_its_place(
    world: Path,
) -> None:
    path = world / "run" / "one.sock"
    listening = listen(path)
    refused = as_second_user(f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})")
    assert "PermissionError" in refused
    forged = world / "forged.sock"
    made = as_second_user(
        f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(forged)!r}); s.listen()"
    )
    assert made == "" and not is_own(forged)
    with pytest.raises(FileNotFoundError):
        _asked(forged)
    listening.close()


def test_a_plain_file_is_no_socket_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "file.sock"
    file.write_text("no socket")
    assert not is_own(file)
