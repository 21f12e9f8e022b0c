"""A FastAPI application that knows nothing of telemetry; started by `opentelemetry-instrument`."""

from fastapi import FastAPI, WebSocket

app = FastAPI()


@app.get("/api/v1/sessions/{session_id}")
def session(session_id: str) -> dict[str, str]:
    return {"session": session_id}


@app.get("/fails")
def fails() -> None:
    raise ValueError("no session for eva.lindqvist@example.org")


@app.websocket("/ws/{session_id}")
async def chat(socket: WebSocket, session_id: str) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()
