"""A Redis beyond this machine: encrypted, and only the one whose certificate fits its name."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis.exceptions import RedisError

from leaderboard.connection import connect, web_client


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself; its key lies beside it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis")])
    begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=9))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    plain = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(plain)
    (folder / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return folder / "certificate.pem"


class _Terminator(socketserver.BaseRequestHandler):
    """Speaks TLS with whoever comes, and plainly with the server behind it."""

    def handle(self) -> None:
        server: Any = self.server
        with (
            contextlib.suppress(OSError),
            server.context.wrap_socket(self.request, server_side=True) as outside,
            socket.socket(socket.AF_UNIX) as inside,
        ):
            inside.connect(server.behind)
            outward = threading.Thread(target=_carry, args=(inside, outside), daemon=True)
            outward.start()
            _carry(outside, inside)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture
def port(certificate: Path, redis_url: str) -> Iterator[int]:
    """A port that speaks TLS alone, with the private server behind it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with _Server(("127.0.0.1", 0), _Terminator) as server:
        server.context, server.behind = context, redis_url.removeprefix("unix://")  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_a_server_with_a_certificate_that_we_trust_is_reached(port: int, certificate: Path) -> None:
    address = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}"
    for open_one in (connect, web_client):
        with open_one(address) as redis:
            assert redis.ping()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_that_nobody_vouches_for_or_of_another_name_is_not(port: int, certificate: Path, host: str) -> None:
    trusted = f"?ssl_ca_certs={certificate}" if host == "localhost" else ""
    with pytest.raises(RedisError, match="certificate verify failed"):
        web_client(f"rediss://{host}:{port}/0{trusted}").ping()


def test_nothing_is_said_in_the_clear_to_a_server_that_wants_tls(port: int) -> None:
    with pytest.raises(RedisError):
        web_client(f"redis://127.0.0.1:{port}/0").ping()
