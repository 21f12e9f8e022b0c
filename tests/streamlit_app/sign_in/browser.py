"""A browser at the app's door, as far as HTTP goes."""

from httpx import Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from privacy.access.access_policy import Role
from streamlit_app.sign_in import doorman
from streamlit_app.sign_in.door import Door
from streamlit_app.sign_in.entrance import routes

PASSWORD = "correct horse battery staple"
SHOWN = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
OURS = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}


class Browser:
    """A browser before the door; it sends what browsers send with a navigation and with our form."""

    def __init__(self) -> None:
        async def socket(websocket: WebSocket) -> None:
            await websocket.accept("streamlit")
            async for piece in websocket.iter_bytes():
                await websocket.send_bytes(piece)

        inner = Starlette(
            routes=[
                *routes(),
                WebSocketRoute("/_stcore/stream", socket),
                Route("/{path:path}", lambda _: HTMLResponse("fact"), methods=["GET", "PUT"]),
            ],
            middleware=[Middleware(Door)],
        )
        self.client = TestClient(inner, follow_redirects=False)
        self.identities = doorman.identities()

    def opens(self, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=SHOWN | headers)

    def posts(self, path: str, **form: str) -> Response:
        return self.client.post(path, data=form, headers=OURS)

    def signs_in(self) -> Response:
        link = self.identities.links.create(Role.OPERATOR, hours=1, by="os:owner")
        return self.posts(f"/sign-in?link={link}")
