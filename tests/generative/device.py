"""A tablet's side of the protocol in memory: what its engine does, step by step, and no more.

It follows `mobile_api/tablet/src/sync` in its decisions: one log that is outbox and sent box in
one, an answer counts only for the request it belongs to, a page only if its digest adds up.
What is durable is `_disk`; a crash goes back to it.
"""

from __future__ import annotations

import base64
import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from mobile_api.chain import ZERO, canonical, link
from mobile_api.pull import digest
from outreach.models.ids import new_id

BATCH = 4
PAGE = 65_536
Reply = tuple[int, dict[str, Any]]


@dataclass
class State:
    """What a tablet keeps in its store."""

    replica: str = field(default_factory=lambda: str(uuid4()))
    token: str = ""
    epoch: str = ""
    app: str = "0.1.0"
    seq: int = 0
    chain: str = ZERO
    log: dict[int, dict[str, Any]] = field(default_factory=dict)
    acked: int = 0
    acked_chain: str = ZERO
    outcomes: dict[int, dict[str, Any]] = field(default_factory=dict)
    view: str | None = None
    digest: str | None = None
    rows: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    photos: dict[str, bytes | None] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    halt: str | None = None
    receipt: dict[str, str] | None = None
    handing: str | None = None
    handing_what: tuple[int, int] = (0, 0)
    handed: int = 0


@dataclass
class Device:
    """One physical tablet: its key, its store, and the copy of the store that survives a crash."""

    name: str
    username: str
    key: ec.EllipticCurvePrivateKey
    state: State = field(default_factory=State)
    max_bytes: int = PAGE
    _disk: bytes = b""

    def __post_init__(self) -> None:
        self.save()

    def save(self) -> None:
        """Write the store durably, in one transaction."""
        self._disk = pickle.dumps(self.state)

    def upgrade(self, app: str) -> None:
        """Go on with another version of the app over the same store."""
        self.state.app = app
        self.save()

    def crash(self) -> None:
        """Lose what was only in memory."""
        self.state = pickle.loads(self._disk)

    def copied(self, name: str) -> Device:
        """Return another tablet with a copy of this one's store and keys."""
        twin = Device(name, self.username, self.key, pickle.loads(self._disk), self.max_bytes)
        twin.save()
        return twin

    @property
    def public_key(self) -> str:
        """The key as enrolment sends it."""
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def say(self, name: str, args: dict[str, Any], at: str, v: int = 1) -> dict[str, Any]:
        """Append a signed mutation to the log, durably, and return it."""
        state = self.state
        said: dict[str, Any] = {
            "seq": state.seq + 1,
            "id": str(new_id()),
            "name": name,
            "v": v,
            "at": at,
            "args": args,
        }
        body = canonical(said)
        state.chain = link(state.chain, body)
        state.seq += 1
        state.log[state.seq] = {**said, "chain": state.chain, "sig": self.sign(body)}
        self.save()
        return state.log[state.seq]

    def sign(self, body: bytes) -> str:
        """Return base64 of r||s, as WebCrypto signs."""
        r, s = decode_dss_signature(self.key.sign(body, ec.ECDSA(hashes.SHA256())))
        return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()

    def outbox(self) -> list[dict[str, Any]]:
        """Return what the server has not acknowledged, in order."""
        return [self.state.log[seq] for seq in sorted(self.state.log) if seq > self.state.acked]

    def request(self) -> dict[str, Any]:
        """Return the body of the next exchange."""
        state = self.state
        body: dict[str, Any] = {
            "replica": state.replica,
            "schema": 1,
            "app": state.app,
            "rid": str(uuid4()),
            "health": {"outbox": len(self.outbox())},
            "pull": {"view": state.view, "digest": state.digest, "max_bytes": self.max_bytes},
        }
        waiting = self.outbox()[:BATCH]
        if waiting:
            body["push"] = {
                "first": waiting[0]["seq"],
                "prev_chain": state.acked_chain,
                "mutations": waiting,
            }
        self.sent(waiting)
        return body

    def sent(self, batch: list[dict[str, Any]]) -> None:
        """Note that a batch goes out; nothing leaves the log for that."""

    def receive(self, request: dict[str, Any], reply: Reply) -> str:
        """Take an answer in: 'more', 'rest' or 'halted'; one to another request is ignored."""
        status, answer = reply
        if status != 200:
            step = self._refused(answer)
        elif not self.awaits(request, answer):
            return "late"
        else:
            step = self._accept(answer)
        self.save()
        return step

    def awaits(self, request: dict[str, Any], answer: dict[str, Any]) -> bool:
        """Tell whether an answer belongs to the request that is under way."""
        return bool(answer["rid"] == request["rid"])

    def _accept(self, answer: dict[str, Any]) -> str:
        state = self.state
        halt = self._place(answer["last_seq"], answer["chain"])
        if halt:
            state.halt = halt
            return "halted"
        state.halt, state.epoch = None, answer["epoch"]
        for outcome in answer["outcomes"]:
            state.outcomes[outcome["seq"]] = outcome
        state.missing = answer["blobs_missing"]
        state.receipt = answer["receipt"] or state.receipt
        more = bool(self.outbox())
        if answer["pull"]:
            more = self._apply(answer["pull"]) or more
        self._free_photos()
        return "more" if more else "rest"

    def _place(self, seq: int, chain: str) -> str | None:
        """Compare the server's place in the log with our own: it may be ahead or behind."""
        state = self.state
        ours = ZERO if seq == 0 else state.log[seq]["chain"] if seq in state.log else None
        if seq > state.seq or ours != chain:
            return "fork"
        self.acknowledged(seq, chain)
        return None

    def acknowledged(self, seq: int, chain: str) -> None:
        """Note how far the server has come; it may be less than it was."""
        self.state.acked, self.state.acked_chain = seq, chain

    def _apply(self, page: dict[str, Any]) -> bool:
        """Apply a page that adds up and return whether another follows."""
        state = self.state
        rows = {} if page["base"] is None else dict(state.rows)
        if not self.follows(page):
            return self._begin_again()
        for key in page["dels"]:
            rows.pop(key, None)
        rows.update({row["k"]: (row["h"], row["d"]) for row in page["puts"]})
        if not self.adds_up(rows, page):
            return self._begin_again()
        state.rows, state.view, state.digest = rows, page["view"], page["digest"]
        return bool(page["more"])

    def follows(self, page: dict[str, Any]) -> bool:
        """Tell whether a page continues what this tablet holds, or begins from nothing."""
        return page["base"] in (None, self.state.view)

    def adds_up(self, rows: dict[str, tuple[str, Any]], page: dict[str, Any]) -> bool:
        """Tell whether the rows after a page are those that the server thinks of."""
        return digest({key: value for key, (value, _) in rows.items()}) == str(page["digest"])

    def _begin_again(self) -> bool:
        self.state.view = self.state.digest = None
        return True

    def _free_photos(self) -> None:
        """Drop the bytes of photos that the server has verified."""
        missing = set(self.state.missing)
        for seq, said in self.state.log.items():
            for media in said["args"].get("media", []) if seq <= self.state.acked else []:
                if media["sha256"] not in missing:
                    self.state.photos[media["sha256"]] = None

    def _refused(self, problem: dict[str, Any]) -> str:
        slug = str(problem.get("type", "")).rpartition("/")[2]
        if slug == "gap":
            halt = self._place(problem["last_seq"], problem["chain"])
            self.state.halt = halt
            return "halted" if halt else "more"
        halts = {
            "fork": "fork",
            "unknown-replica": "unknown",
            "revoked": "revoked",
            "expired-token": "sign_in",
            "no-token": "sign_in",
        }
        if slug in halts:
            self.state.halt = halts[slug]
            return "halted"
        return "later"

    def begin_hand_in(self) -> None:
        """Begin a hand-in, anew where more was recorded since one was cut: parts shift."""
        state = self.state
        what = (state.seq, len(state.photos))
        if state.handing is None or state.handing_what != what:
            state.handing, state.handing_what, state.handed = str(new_id()), what, 0

    def may_forget(self, receipted: int, of: int) -> bool:
        """Tell whether all that is handed in is receipted."""
        return receipted == of

    def wanted(self) -> list[str]:
        """Return the photos that the server still misses, those of this log only."""
        return [name for name in self.state.missing if name in self.state.sizes]

    def photo(self, content: bytes) -> dict[str, Any]:
        """Keep a photo and return its name and size as a mutation declares them."""
        name = hashlib.sha256(content).hexdigest()
        self.state.photos[name], self.state.sizes[name] = content, len(content)
        return {"sha256": name, "size": len(content)}


def fresh_key() -> ec.EllipticCurvePrivateKey:
    """Return a new device key."""
    return ec.generate_private_key(ec.SECP256R1())


Post = Callable[[dict[str, Any], str], Reply]
