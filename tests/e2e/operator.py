"""Whoever types commands for one home whose ports nobody else uses."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import psutil

from tests.processes import ROOT, free_port, live_headers

_PORTS = ("RECEIVER__HTTP_PORT", "RECEIVER__GRPC_PORT", "LIVE__PORT", "APP__PORT")


class Operator:
    """Types commands for one home whose ports nobody else uses."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.ports = {name: free_port() for name in _PORTS}
        chosen = {name: str(port) for name, port in self.ports.items()} | settings
        self.environment = {
            **os.environ,
            "TTA_MONITOR_HOME": str(home),
            **{f"TTA_MONITOR_{name}": value for name, value in chosen.items()},
        }

    def types(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["./tta.sh", "monitor", *arguments],
            capture_output=True, text=True, cwd=ROOT, env=self.environment, check=False, timeout=240,
        )  # fmt: skip

    def status(self) -> dict[str, dict]:
        done = self.types("status", "--json")
        return {p["name"]: p for p in json.loads(done.stdout)["processes"]}

    def live(self, name: str) -> list[dict]:
        url = f"http://127.0.0.1:{self.ports['LIVE__PORT']}/api/v1/query/{name}"
        return httpx.get(url, headers=live_headers(self.home)).json()["rows"]

    def processes(self) -> list[str]:
        """Command lines of all processes that belong to this home."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TTA_MONITOR_HOME") == str(self.home):
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found
