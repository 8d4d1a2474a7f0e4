"""A small OpenID provider with several users: what a Space's login talks to, in a thread of this process."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

USERS: dict[str, dict[str, Any]] = {
    "alice": {"name": "Alice", "orgs": [{"preferred_username": "board-lab", "name": "Lab", "roleInOrg": "write"}]},
    "bob": {"name": "Bob", "orgs": []},
    # Free text that imitates the organisation whose members maintain.
    "mallory": {
        "name": "alice",
        "orgs": [{"preferred_username": "mallorys", "name": "board-lab", "roleInOrg": "admin"}],
    },
    "maintainer": {"name": "Nobody", "orgs": []},
    "<img src=x onerror=alert(1)>": {"name": "<script>alert(1)</script>", "orgs": []},
}


class Provider:
    """Says who somebody is, to whoever asks with a code that it gave out once."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256", "use": "sig"})
        self.codes: dict[str, tuple[str, str, str]] = {}
        self.scopes: list[str] = []
        self.url = ""
        self.user = ""
        """Who sits at a browser, which names nobody."""

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Logs a user in at once and returns the address to go back to."""
        code = secrets.token_hex(8)
        self.codes[code] = (asked.get("user", self.user), asked["nonce"], asked["client_id"])
        self.scopes.append(asked["scope"])
        separator = "&" if "?" in asked["redirect_uri"] else "?"
        return f"{asked['redirect_uri']}{separator}{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, code: str) -> dict[str, Any]:
        user, nonce, client = self.codes.pop(code)
        issued = int(time.time())
        claims = {
            "iss": self.url,
            "aud": client,
            "sub": f"id-of-{user}",
            "iat": issued,
            "exp": issued + 3600,
            "nonce": nonce,
            "preferred_username": user,
            "profile": f"{self.url}/{user}",
            "picture": "data:,",
            **USERS[user],
        }
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
        answer = {"access_token": "canary-token", "token_type": "bearer", "expires_in": 3600}
        return {**answer, "scope": "openid profile", "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    """Answers for the provider that its class is made for."""

    provider: Provider

    def log_message(self, *_: object) -> None: ...

    def answer(self, status: int, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/.well-known/openid-configuration":
            self.answer(200, self.provider.configuration())
        elif address.path == "/jwks":
            self.answer(200, {"keys": [self.provider.key.as_dict(private=False)]})
        elif address.path == "/authorize":
            self.answer(302, {}, Location=self.provider.authorize(asked))
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(200, self.provider.token(sent["code"][0]))


@contextlib.contextmanager
def running_provider() -> Iterator[Provider]:
    """Runs a provider on a free port."""
    provider = Provider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
