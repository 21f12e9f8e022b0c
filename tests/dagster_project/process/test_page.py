"""Dagster's page costs nothing until somebody opens it."""

import httpx
import pytest

from dagster_project.process.page import LatePage


def _app(loads: list[int]):
    async def page(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"Dagster"})

    def load():
        loads.append(1)
        return page

    return LatePage(load)


@pytest.mark.parametrize("paths", [["/server_info"], ["/", "/runs"], ["/server_info", "/"]])
def test_it_is_loaded_once_and_not_to_say_that_it_is_there(paths: list[str]) -> None:
    import asyncio

    loads: list[int] = []

    async def visit() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=_app(loads))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            return [await client.get(path) for path in paths]

    answers = asyncio.run(visit())
    assert all(a.status_code == 200 for a in answers)
    assert len(loads) == (paths != ["/server_info"])
    assert "dagster_version" in answers[0].text or answers[0].text == "Dagster"
