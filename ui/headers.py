"""Headers on every answer of the server: what a page may load, who may frame it, what a file may be taken for."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = {
    "default-src": "'self'",
    # Streamlit's page has a small script of its own in the HTML, runs WebAssembly and builds chart code from strings;
    # components come as blob: modules.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "frame-src": "'self' blob: data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def build_headers(tile_hosts: tuple[str, ...] = ()) -> list[tuple[bytes, bytes]]:
    """Return the headers; ``tile_hosts`` (from configuration only) may deliver map pictures."""
    policy = dict(CONTENT_POLICY)
    policy["img-src"] = " ".join([policy["img-src"], *tile_hosts])
    content = "; ".join(f"{name} {value}" for name, value in policy.items())
    return [
        (b"content-security-policy", content.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"SAMEORIGIN"),
        (b"referrer-policy", b"no-referrer"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]


class SafeHeaders:
    """ASGI middleware that adds the headers to every HTTP answer; web sockets pass untouched."""

    def __init__(self, app: ASGIApp, tile_hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._headers = build_headers(tile_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _value in self._headers}
                kept: list[Any] = [pair for pair in message.get("headers", []) if pair[0].lower() not in ours]
                message["headers"] = [*kept, *self._headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)
