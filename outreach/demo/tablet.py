"""A tablet without a screen: the whole client side of the protocol, its state in one file.

It plays the tablets of the demo campaign, and tests and load generators play with it too. The
state file is replaced atomically before anything is sent, so that a killed tablet goes on
where it was: what it said is in the outbox, and what was taken in is answered `duplicate`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from mobile_api.chain import ZERO, canonical, link
from mobile_api.pull import digest
from outreach.models.ids import new_id

APP = "0.7.2"
BATCH = 100
CHUNK = 64 * 1024
TUS = {"Tus-Resumable": "1.0.0"}


class TabletRefused(Exception):
    """The server answered a problem; `slug` names it."""

    def __init__(self, response: httpx.Response) -> None:
        body = response.json() if "json" in response.headers.get("content-type", "") else {}
        self.body: dict[str, Any] = body
        self.slug = str(body.get("type", "")).removeprefix("/problems/")
        super().__init__(f"{response.status_code} {self.slug} {body.get('detail', '')}")


@dataclass
class State:
    """Everything a tablet must not lose."""

    replica: str = field(default_factory=lambda: str(uuid4()))
    key: str = ""
    token: str = ""
    epoch: str = ""
    seq: int = 0
    chain: str = ZERO
    acked: int = 0
    acked_chain: str = ZERO
    outbox: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    view: str | None = None
    held: dict[str, str] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs_missing: list[str] = field(default_factory=list)


class Tablet:
    """One tablet: enrol, say, sync, upload."""

    def __init__(self, client: httpx.Client, path: Path) -> None:
        self.client = client
        self.path = path
        self.state = State(**json.loads(path.read_text())) if path.exists() else State()
        if not self.state.key:
            self.state.key = _fresh_key()
        key = serialization.load_pem_private_key(self.state.key.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key

    def save(self) -> None:
        """Replace the state file in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(asdict(self.state), file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def enrol(self, code: str, label: str) -> None:
        """Enrol with a one-time code, once; the key and the replica's name are kept first."""
        self.save()
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        body = {
            "code": code,
            "label": label,
            "public_key": base64.b64encode(der).decode(),
            "replica": self.state.replica,
        }
        answer = self._checked(self.client.post("/api/v1/devices/enrol", json=body)).json()
        self.state.token, self.state.epoch = answer["token"], answer["epoch"]
        self.save()

    def say(self, name: str, args: dict[str, Any], at: datetime, v: int = 1) -> int:
        """Append a signed mutation to the log and the outbox; return its number."""
        state = self.state
        said: dict[str, Any] = {
            "seq": state.seq + 1,
            "id": str(new_id()),
            "name": name,
            "v": v,
            "at": at.isoformat(),
            "args": args,
        }
        body = canonical(said)
        state.chain = link(state.chain, body)
        state.seq += 1
        state.outbox.append({**said, "chain": state.chain, "sig": self._sign(body)})
        self.save()
        return state.seq

    def sync(self, *, max_bytes: int = 1_048_576) -> None:
        """Exchange until the outbox is empty and the rows are what the server would have them."""
        more = True
        while more or self.state.outbox:
            answer = self.exchange(max_bytes=max_bytes)
            more = bool(answer["pull"] and answer["pull"]["more"])

    def exchange(self, *, max_bytes: int = 65_536) -> dict[str, Any]:
        """Do one round trip and keep what it brought."""
        state = self.state
        batch = state.outbox[:BATCH]
        body: dict[str, Any] = {
            "replica": state.replica,
            "schema": 1,
            "app": APP,
            "rid": str(uuid4()),
            "health": {"outbox": len(state.outbox)},
            "pull": {"view": state.view, "digest": digest(state.held), "max_bytes": max_bytes},
        }
        if batch:
            body["push"] = {
                "first": batch[0]["seq"],
                "prev_chain": state.acked_chain,
                "mutations": batch,
            }
        try:
            answer = self._post(body)
        except TabletRefused as refusal:
            if refusal.slug != "gap" or refusal.body["last_seq"] >= state.acked:
                raise
            self._stand_at(refusal.body["last_seq"], refusal.body["chain"])
            return self.exchange(max_bytes=max_bytes)
        self._take(answer)
        return answer

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        response = self.client.post(
            "/api/v1/sync",
            content=gzip.compress(json.dumps(body).encode(), 1),
            headers={
                **self._auth(),
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            },
        )
        answer: dict[str, Any] = self._checked(response).json()
        return answer

    def _take(self, answer: dict[str, Any]) -> None:
        state = self.state
        for outcome in answer["outcomes"]:
            state.outcomes[str(outcome["seq"])] = outcome
        self._stand_at(answer["last_seq"], answer["chain"])
        state.epoch = answer["epoch"]
        state.blobs_missing = answer["blobs_missing"]
        if answer["pull"]:
            self._apply(answer["pull"])
        self.save()

    def _stand_at(self, last_seq: int, chain: str) -> None:
        """Divide the log where the server stands: after a restore it wants some of it again."""
        state = self.state
        log = [*state.sent, *state.outbox]
        state.sent = [said for said in log if said["seq"] <= last_seq]
        state.outbox = [said for said in log if said["seq"] > last_seq]
        state.acked, state.acked_chain = last_seq, chain

    def _apply(self, pulled: dict[str, Any]) -> None:
        state = self.state
        if pulled["base"] is None:
            state.held, state.rows = {}, {}
        for key in pulled["dels"]:
            state.held.pop(key, None)
            state.rows.pop(key, None)
        for row in pulled["puts"]:
            state.held[row["k"]], state.rows[row["k"]] = row["h"], row["d"]
        state.view = pulled["view"]

    def rows(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the held rows of one kind by their id."""
        prefix = f"{kind}/"
        found = self.state.rows.items()
        return {key.removeprefix(prefix): row for key, row in found if key.startswith(prefix)}

    def upload(self, content: bytes, content_type: str = "image/jpeg", chunk: int = CHUNK) -> None:
        """Upload one file by tus 1.0.0 in chunks; one the server holds already is not sent."""
        sha256 = hashlib.sha256(content).hexdigest()
        metadata = f"sha256 {_b64(sha256)},type {_b64(content_type)}"
        created = self._checked(
            self.client.post(
                "/api/v1/uploads/",
                headers={
                    **self._auth(),
                    **TUS,
                    "Upload-Length": str(len(content)),
                    "Upload-Metadata": metadata,
                },
            )
        )
        offset = int(created.headers.get("Upload-Offset", "0"))
        while offset < len(content):
            answer = self.client.patch(
                created.headers["Location"],
                content=content[offset : offset + chunk],
                headers={
                    **self._auth(),
                    **TUS,
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/offset+octet-stream",
                },
            )
            offset = int(self._checked(answer).headers["Upload-Offset"])

    def certificate(self, certificate: UUID | str) -> bytes:
        """Fetch a signed PDF to hand over and to show offline."""
        answer = self.client.get(f"/api/v1/certificates/{certificate}.pdf", headers=self._auth())
        return self._checked(answer).content

    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.state.token}"}

    def _sign(self, body: bytes) -> str:
        r, s = decode_dss_signature(self.key.sign(body, ec.ECDSA(hashes.SHA256())))
        return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_error:
            raise TabletRefused(response)
        return response


def _fresh_key() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
