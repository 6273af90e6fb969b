"""A throw-away time-stamp authority on the loopback, with its root and its revocation list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certificates.founding import _builder, _usage
from certificates.signing import as_asn1

LASTS = 5
"""Years for which the authority's own certificate lasts."""
DRIPS = 12
"""Bytes that come one by one where it drips."""


class TimeAuthorityServer:
    """Answers RFC 3161 requests with tokens, unless it is told to be away."""

    def __init__(self, port: int, at: datetime) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.is_away = False
        self.keeps_list_back = False
        self.takes_s = 0.0
        self.drips_s = 0.0
        self.clock_is_ahead = timedelta()
        self.asked = 0
        self.root_key = rsa.generate_private_key(65537, 2048)
        key = rsa.generate_private_key(65537, 2048)
        name = _name("测试时间根 Time Root")
        self.root = (
            _builder(self.root_key, name, at, 30)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self.root_key, hashes.SHA256())
        )
        place = x509.DistributionPoint(
            [x509.UniformResourceIdentifier(f"{self.url}list.crl")], None, None, None
        )
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        self.certificate = (
            _builder(key, _name("测试时间戳 Time-Stamping"), at, LASTS)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.CRLDistributionPoints([place]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()),
                critical=False,
            )
            .sign(self.root_key, hashes.SHA256())
        )
        der = key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register(as_asn1(self.root))
        self._stamper = DummyTimeStamper(
            as_asn1(self.certificate), asn1_keys.PrivateKeyInfo.load(der), certs_to_embed=store
        )

    def answer(self, request: bytes) -> bytes:
        """Return the DER of a response."""
        self.asked += 1
        time.sleep(self.takes_s)
        self._stamper.fixed_dt = datetime.now(UTC) + self.clock_is_ahead
        return bytes(self._stamper.request_tsa_response(tsp.TimeStampReq.load(request)).dump())

    def revocations(self) -> bytes:
        """Return the authority's list: nobody is revoked."""
        now = datetime.now().astimezone()
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(now - timedelta(minutes=1))
            .next_update(now + timedelta(days=7))
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()),
                critical=False,
            )
        )
        return made.sign(self.root_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _name(role: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, role)])


@contextmanager
def serving(at: datetime) -> Iterator[TimeAuthorityServer]:
    """Serve for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._send("application/timestamp-reply", lambda: authority.answer(body))

        def do_GET(self) -> None:
            if authority.keeps_list_back:
                self.send_error(503)
                return
            self._send("application/pkix-crl", authority.revocations)

        def _send(self, kind: str, make: object) -> None:
            if authority.is_away:
                self.send_error(503)
                return
            content = make()  # type: ignore[operator]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for at in range(DRIPS if authority.drips_s else 0):
                self.wfile.write(content[at : at + 1])
                time.sleep(authority.drips_s)
            self.wfile.write(content[DRIPS if authority.drips_s else 0 :])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority = TimeAuthorityServer(server.server_port, at)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
