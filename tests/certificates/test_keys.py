"""Signing keys: P-256 and RSA from files, both from a token (SoftHSM2), and their rotation."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certificates.authority import (
    AuthorityMissing,
    AuthorityUnsound,
    Signer,
    check_authority,
    load_signer,
    load_trust,
)
from certificates.credential import UntrustedCredential, read_credential, write_credential
from certificates.examination import Examination, Verdict, examine
from certificates.founding import (
    Names,
    _builder,
    _leaf_certificate,
    _root_certificate,
    _usage,
    create_authority,
    install,
    request,
    revocation_list,
    rotate,
)
from certificates.keys import (
    ALGORITHMS,
    TokenAway,
    _session,
    making_keys,
    pem,
    read_private,
    write,
    write_private,
)
from mobile_api.federation import FederationKeys
from mobile_api.receipts import ReceiptKeys
from tests.certificates.conftest import NAMES
from tests.certificates.making import CERTIFICATE, SIGNED_AT, facts, run, signed

INTACT = Examination(Verdict.INTACT)
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "4711"


class PowerCutError(Exception):
    """Everything stops here."""


def pdfsig_says(pdf: bytes, folder: Path) -> str:
    file = folder / "paper.pdf"
    file.write_bytes(pdf)
    return run("pdfsig", "-nocert", file)


def check_signs(folder: Path, tmp_path: Path) -> Signer:
    """Assert that an authority's papers convince pyHanko, pdfsig and our own check."""
    signer = load_signer(folder)
    paper = signed(signer)
    assert examine(paper, load_trust(folder)) == INTACT
    assert "Signature is Valid." in pdfsig_says(paper, tmp_path)
    assert check_authority(folder, at=SIGNED_AT).ends_at > SIGNED_AT
    code = write_credential(facts(), CERTIFICATE, signer.credential)
    assert read_credential(code, load_trust(folder).credential_keys).name == facts().name
    return signer


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signer_of_each_algorithm_convinces_everybody(algorithm: str, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    create_authority(folder, NAMES, at=SIGNED_AT, algorithm=algorithm)
    check_signs(folder, tmp_path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    key = ec.generate_private_key(ec.SECP384R1())
    (tmp_path / "signer.key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(AuthorityUnsound, match=r"signer\.key\.pem is neither"):
        load_signer(tmp_path)


# ---- rotation


def test_after_a_rotation_new_papers_are_by_the_new_key_and_old_ones_stay_ours(
    tmp_path: Path,
) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    before = load_signer(tmp_path)
    paper, code = signed(before), write_credential(facts(), CERTIFICATE, before.credential)
    rotate(tmp_path, NAMES, at=SIGNED_AT)
    after, trust = load_signer(tmp_path), load_trust(tmp_path)
    assert after.certificate != before.certificate
    assert after.credential.key_id != before.credential.key_id
    assert examine(paper, trust) == examine(signed(after), trust) == INTACT
    assert read_credential(code, trust.credential_keys).name == facts().name
    assert revoked(tmp_path) == []


def revoked(folder: Path) -> list[int]:
    listed = x509.load_der_x509_crl(revocation_list(folder, at=SIGNED_AT) or b"")
    return [entry.serial_number for entry in listed]


def test_a_compromised_key_is_revoked_and_its_codes_are_not_believed(tmp_path: Path) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    before = load_signer(tmp_path)
    code = write_credential(facts(), CERTIFICATE, before.credential)
    rotate(tmp_path, NAMES, at=SIGNED_AT, compromised=True)
    assert before.certificate.serial_number in revoked(tmp_path)
    with pytest.raises(UntrustedCredential):
        read_credential(code, load_trust(tmp_path).credential_keys)


def test_a_rotation_cut_short_is_completed(tmp_path: Path) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    rotate(tmp_path, NAMES, at=SIGNED_AT)
    (tmp_path / "signer.key.pem").unlink()
    with pytest.raises(AuthorityMissing):
        load_signer(tmp_path)
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    assert check_authority(tmp_path, at=SIGNED_AT).ends_at > SIGNED_AT


def cut_after(steps: int, deed: Callable[[], object]) -> bool:
    """Do something until files were named or removed so many times; tell whether it was cut."""
    left = steps

    def counted(real: Callable[..., None]) -> Callable[..., None]:
        def step(*args: Any, **options: Any) -> None:
            nonlocal left
            if not left:
                raise PowerCutError
            left -= 1
            real(*args, **options)

        return step

    with pytest.MonkeyPatch.context() as failing:
        for name in ("replace", "unlink"):
            failing.setattr(os, name, counted(getattr(os, name)))
        try:
            deed()
        except PowerCutError:
            return True
    return False


@pytest.mark.parametrize("compromised", [False, True])
def test_a_rotation_that_is_killed_anywhere_is_completed_by_another_run(
    tmp_path: Path, *, compromised: bool
) -> None:
    for steps in count():
        folder = tmp_path / str(steps)
        create_authority(folder, NAMES, at=SIGNED_AT)
        before = load_signer(folder)
        paper, code = signed(before), write_credential(facts(), CERTIFICATE, before.credential)
        rotating = partial(rotate, folder, NAMES, at=SIGNED_AT, compromised=compromised)
        if not cut_after(steps, rotating):
            break
        assert examine(paper, load_trust(folder)) == INTACT
        rotating()
        after, trust = load_signer(folder), load_trust(folder)
        assert check_authority(folder, at=SIGNED_AT).ends_at > SIGNED_AT
        assert after.certificate != before.certificate
        assert examine(paper, trust) == examine(signed(after), trust) == INTACT
        assert (before.certificate.serial_number in revoked(folder)) is compromised
        with pytest.raises(UntrustedCredential) if compromised else nullcontext():
            read_credential(code, trust.credential_keys)
    assert steps > 10


@pytest.mark.parametrize("kind", [FederationKeys, ReceiptKeys])
def test_a_key_of_tablets_that_is_made_under_a_kill_is_completed_by_another_run(
    tmp_path: Path, kind: type[FederationKeys | ReceiptKeys]
) -> None:
    for steps in count():
        keys = kind(tmp_path / str(steps))
        if not cut_after(steps, keys.create):
            break
        assert keys.create()
        (private,) = keys.folder.glob("*.key.pem")
        public = read_private(private).public_key()
        stands = serialization.load_pem_public_key
        assert public in [stands(one.read_bytes()) for one in keys.folder.glob("*.pub.pem")]
        assert keys.public()
    assert steps >= 4


def test_of_two_who_make_a_key_at_once_one_waits(tmp_path: Path) -> None:
    """Two public halves, or a private one of which nobody has the public: they were mixed."""
    keys, begun = FederationKeys(tmp_path), Event()
    with ThreadPoolExecutor(1) as beside:
        with making_keys(tmp_path):
            made = beside.submit(lambda: (begun.set(), keys.create()))
            assert begun.wait(10)
            with pytest.raises(TimeoutError):
                made.result(timeout=0.3)
            write_private(tmp_path / "hand-in.key.pem", ALGORITHMS["p256"]())
        assert made.result(timeout=10)
    public = read_private(tmp_path / "hand-in.key.pem").public_key()
    assert serialization.load_pem_public_key((tmp_path / "hand-in.pub.pem").read_bytes()) == public


def test_while_only_the_key_is_new_nothing_is_signed(tmp_path: Path) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    other = tmp_path / "other"
    create_authority(other, NAMES, at=SIGNED_AT)
    (tmp_path / "signer.key.pem").write_bytes((other / "signer.key.pem").read_bytes())
    with pytest.raises(AuthorityUnsound, match="not the certificate"):
        load_signer(tmp_path)


# ---- a certificate from outside


class OutsideCa:
    """A root and an intermediate CA that are not ours."""

    def __init__(self) -> None:
        self.root_key, self.key = ALGORITHMS["p256"](), ALGORITHMS["p256"]()
        names = Names("省级电子认证中心", demo=False)
        self.root = _root_certificate(self.root_key, names, SIGNED_AT)
        self.certificate = (
            _builder(self.key, names.subject("签发 Issuing"), SIGNED_AT, 20)
            .issuer_name(self.root.subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self.root_key, hashes.SHA256())
        )

    def answer(self, asked: bytes) -> list[x509.Certificate]:
        """Return the chain for a request."""
        wanted = x509.load_pem_x509_csr(asked)
        assert wanted.is_signature_valid
        issuer = self.key, self.certificate
        subject = wanted.subject
        leaf = _leaf_certificate(Public(wanted.public_key()), issuer, subject, SIGNED_AT)  # type: ignore[arg-type]
        return [leaf, self.certificate]


class Public:
    """Stands where a private key would, for a CA that knows the public half only."""

    def __init__(self, public: object) -> None:
        self.public_key = lambda: public


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_certificate_with_intermediates_is_requested_and_installed(
    algorithm: str, tmp_path: Path
) -> None:
    folder, outside = tmp_path / "keys", OutsideCa()
    create_authority(folder, NAMES, at=SIGNED_AT)
    local = signed(load_signer(folder))
    asked = request(folder, NAMES, algorithm=algorithm)
    assert (
        x509.load_pem_x509_csr(request(folder, NAMES)).public_key()
        == x509.load_pem_x509_csr(asked).public_key()
    )
    install(folder, outside.answer(asked), outside.root, at=SIGNED_AT)
    check_signs(folder, tmp_path)
    assert examine(local, load_trust(folder)) == INTACT
    assert create_authority(folder, NAMES, at=SIGNED_AT) is False


def test_what_does_not_belong_together_is_not_installed(tmp_path: Path) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    outside, stranger = OutsideCa(), OutsideCa()
    chain = outside.answer(request(tmp_path, NAMES))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for given, root, at in (
        (chain, stranger.root, SIGNED_AT),
        (chain[:1], outside.root, SIGNED_AT),
        (stranger.answer(request(tmp_path / "other", NAMES)), stranger.root, SIGNED_AT),
        (chain, outside.root, SIGNED_AT + timedelta(days=366 * 13)),
    ):
        with pytest.raises(AuthorityUnsound):
            install(tmp_path, given, root, at=at)
    after = {f.name: f.read_bytes() for f in tmp_path.iterdir() if f.is_file()}
    assert after == before


def test_a_chain_that_no_reader_believes_is_not_installed(tmp_path: Path) -> None:
    """As where a certificate for persons stands in the place of the CA's."""
    outside, person = OutsideCa(), ALGORITHMS["p256"]()
    asked = request(tmp_path, NAMES)
    wanted = x509.load_pem_x509_csr(asked)
    by_ca = (outside.key, outside.certificate)
    between = _leaf_certificate(person, by_ca, NAMES.subject("个人 Person"), SIGNED_AT)
    leaf = _leaf_certificate(
        Public(wanted.public_key()),  # type: ignore[arg-type]
        (person, between),
        wanted.subject,
        SIGNED_AT,
    )
    with pytest.raises(AuthorityUnsound, match="no CA: CN=演示 DEMO 个人 Person"):
        install(tmp_path, [leaf, between, outside.certificate], outside.root, at=SIGNED_AT)
    assert not (tmp_path / "signer.crt.pem").exists()
    key = ALGORITHMS["p256"]()
    (tmp_path / "next.key.pem").unlink()
    write_private(tmp_path / "next.key.pem", key)
    only_enciphers = (
        _builder(key, NAMES.subject("加密 Encryption"), SIGNED_AT, 5)
        .issuer_name(outside.certificate.subject)
        .add_extension(_usage(key_encipherment=True), critical=True)
        .sign(outside.key, hashes.SHA256())
    )
    with pytest.raises(AuthorityUnsound, match="not one that signs"):
        install(tmp_path, [only_enciphers, outside.certificate], outside.root, at=SIGNED_AT)


def test_without_the_roots_key_only_a_request_is_possible(tmp_path: Path) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    (tmp_path / "root.key.pem").unlink()
    with pytest.raises(AuthorityMissing, match="--request"):
        rotate(tmp_path, NAMES, at=SIGNED_AT)
    assert revocation_list(tmp_path, at=SIGNED_AT) is None


def under_a_ca(folder: Path) -> OutsideCa:
    """Make a local authority whose signer comes from outside by now."""
    create_authority(folder, NAMES, at=SIGNED_AT)
    outside = OutsideCa()
    install(folder, outside.answer(request(folder, NAMES)), outside.root, at=SIGNED_AT)
    return outside


@pytest.mark.parametrize("roles", [("signer", "credential"), ("signer",)])
def test_the_key_of_a_former_root_takes_nothing_from_the_cas_signer(
    tmp_path: Path, roles: tuple[str, ...]
) -> None:
    """The command says that nothing was changed; the key for which the CA certified is the last."""
    under_a_ca(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(AuthorityMissing, match="--request"):
        rotate(tmp_path, NAMES, at=SIGNED_AT, roles=roles)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_what_our_ca_issued_to_others_is_not_ours(tmp_path: Path) -> None:
    """Neither a neighbour's genuine paper is one of ours that was altered, nor is a forger's."""
    outside = under_a_ca(tmp_path / "ours")
    neighbour, names = tmp_path / "neighbour", Names("蓬安县残疾人联合会", demo=True)
    install(neighbour, outside.answer(request(neighbour, names)), outside.root, at=SIGNED_AT)
    paper, trust = signed(load_signer(neighbour)), load_trust(tmp_path / "ours")
    assert examine(paper, trust) == Examination(Verdict.FOREIGN)
    ours = signed(load_signer(tmp_path / "ours"))
    (value,) = re.findall(rb"/Contents<([0-9a-f]+)>", ours)
    with_ours = paper.replace(b"%PDF-1.7\n", b"%PDF-1.7\n%" + value + b"\n", 1)
    assert examine(with_ours, trust).verdict == Verdict.ALTERED
    assert examine(paper, load_trust(neighbour)) == INTACT


def test_after_another_of_the_cas_certificates_our_papers_stay_ours(tmp_path: Path) -> None:
    outside = under_a_ca(tmp_path)
    before = signed(load_signer(tmp_path))
    install(tmp_path, outside.answer(request(tmp_path, NAMES)), outside.root, at=SIGNED_AT)
    trust = load_trust(tmp_path)
    assert examine(before, trust) == examine(signed(load_signer(tmp_path)), trust) == INTACT


def test_the_key_of_the_codes_is_rotated_under_a_cas_signer_too(tmp_path: Path) -> None:
    outside = under_a_ca(tmp_path)
    before = load_signer(tmp_path)
    rotate(tmp_path, NAMES, at=SIGNED_AT, roles=["credential"])
    after = load_signer(tmp_path)
    assert (after.certificate, after.root) == (before.certificate, outside.root)
    assert after.credential.key_id != before.credential.key_id
    assert check_authority(tmp_path, at=SIGNED_AT).ends_at > SIGNED_AT


def test_a_former_root_goes_on_to_say_what_of_its_own_is_revoked(tmp_path: Path) -> None:
    """Papers of its time are archived with its list, by its own name and key."""
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    local, outside = load_signer(tmp_path).root, OutsideCa()
    install(tmp_path, outside.answer(request(tmp_path, NAMES)), outside.root, at=SIGNED_AT)
    listed = x509.load_der_x509_crl(revocation_list(tmp_path, at=SIGNED_AT) or b"")
    assert listed.issuer == local.subject
    assert listed.is_signature_valid(local.public_key())  # type: ignore[arg-type]


@pytest.mark.parametrize("was_local", [True, False])
@pytest.mark.parametrize("steps", range(5))
def test_an_installation_cut_short_is_completed_by_another_run(
    tmp_path: Path, steps: int, monkeypatch: pytest.MonkeyPatch, *, was_local: bool
) -> None:
    if was_local:
        create_authority(tmp_path, NAMES, at=SIGNED_AT)
    outside = OutsideCa()
    chain = outside.answer(request(tmp_path, NAMES))
    done: list[str] = []
    replace = os.replace

    def until_the_power_goes(old: Path, new: Path) -> None:
        if len(done) == steps:
            raise OSError("the power went")
        replace(old, new)
        done.append(Path(new).name)

    with monkeypatch.context() as failing:
        failing.setattr(os, "replace", until_the_power_goes)
        with pytest.raises(OSError, match="the power went"):
            install(tmp_path, chain, outside.root, at=SIGNED_AT)
    install(tmp_path, chain, outside.root, at=SIGNED_AT)
    assert load_signer(tmp_path).certificate == chain[0]
    assert check_authority(tmp_path, at=SIGNED_AT).ends_at > SIGNED_AT


# ---- tokens


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a SoftHSM2 token of this test, and return its name."""
    store = tmp_path / "tokens"
    store.mkdir()
    config = tmp_path / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {store}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    name = f"outreach-{uuid4().hex[:12]}"
    command = ["--init-token", "--free", "--label", name, "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(["softhsm2-util", *command], check=True, capture_output=True)
    import pkcs11

    pkcs11.lib(MODULE).reinitialize()
    return name


def put_into_token(folder: Path, role: str, token: str, pin_file: Path) -> None:
    """Move a key from its file into the token and leave its URI in the folder."""
    file = folder / f"{role}.key.pem"
    command = ["--import", str(file), "--token", token, "--label", role]
    command += ["--id", role.encode().hex()]
    subprocess.run(["softhsm2-util", *command, "--pin", PIN], check=True, capture_output=True)
    file.unlink()
    (folder / f"{role}.key.uri").write_text(
        f"pkcs11:token={token};object={role}?module-path={MODULE}&pin-source=file:{pin_file}\n"
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_in_a_token_sign_papers_and_codes(algorithm: str, token: str, tmp_path: Path) -> None:
    folder, pin = tmp_path / "keys", tmp_path / "pin"
    pin.write_text(f"{PIN}\n")
    create_authority(folder, NAMES, at=SIGNED_AT, algorithm=algorithm)
    put_into_token(folder, "signer", token, pin)
    put_into_token(folder, "credential", token, pin)
    signer = check_signs(folder, tmp_path)
    assert signer.key.where == f"token {token}"
    assert create_authority(folder, NAMES, at=SIGNED_AT) is False
    assert not list(folder.glob("signer.key.pem"))


def test_a_token_that_was_unplugged_signs_again_once_it_is_back(token: str, tmp_path: Path) -> None:
    """Its sessions ended with it; the server's own are a day old by then."""
    folder, pin = tmp_path / "keys", tmp_path / "pin"
    pin.write_text(PIN)
    create_authority(folder, NAMES, at=SIGNED_AT)
    put_into_token(folder, "signer", token, pin)
    put_into_token(folder, "credential", token, pin)
    load_signer(folder)
    _session(MODULE, token, PIN)[0].close()
    check_signs(folder, tmp_path)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("https://example.org/", "PKCS#11 URI"),
        ("pkcs11:token=x;object=signer", "module-path"),
        (f"pkcs11:object=signer?module-path={MODULE}&pin-value=1", "token"),
        (f"pkcs11:token=gone;object=signer?module-path={MODULE}&pin-value=1", "does not answer"),
        ("pkcs11:token=x;object=s?module-path=/nowhere.so&pin-value=1", "does not answer"),
        (f"pkcs11:token=x;object=s?module-path={MODULE}&pin-source=file:/no/pin", "cannot be read"),
    ],
)
def test_a_token_that_cannot_be_used_is_said_at_the_start(
    uri: str, message: str, token: str, tmp_path: Path
) -> None:
    folder = tmp_path / "keys"
    create_authority(folder, NAMES, at=SIGNED_AT)
    (folder / "signer.key.uri").write_text(uri)
    with pytest.raises(AuthorityUnsound, match=message) as refused:
        load_signer(folder)
    assert isinstance(refused.value.__cause__, TokenAway) == ("token=gone" in uri)


def test_a_wrong_pin_is_said_at_the_start(token: str, tmp_path: Path) -> None:
    folder, pin = tmp_path / "keys", tmp_path / "pin"
    pin.write_text(PIN)
    create_authority(folder, NAMES, at=SIGNED_AT)
    put_into_token(folder, "signer", token, pin)
    pin.write_text("0000")
    with pytest.raises(AuthorityUnsound, match="PinIncorrect"):
        load_signer(folder)


def test_a_pin_that_the_token_refused_is_not_tried_until_it_locks(
    token: str, tmp_path: Path
) -> None:
    folder, pin = tmp_path / "keys", tmp_path / "pin"
    create_authority(folder, NAMES, at=SIGNED_AT)
    put_into_token(folder, "signer", token, pin)
    pin.write_text("0000")
    for said in ("PinIncorrect", "not tried again"):
        with pytest.raises(AuthorityUnsound, match=said):
            load_signer(folder)
    pin.write_text(PIN)
    check_signs(folder, tmp_path)


def test_the_roots_pem_is_what_those_who_verify_install(tmp_path: Path) -> None:
    create_authority(tmp_path, NAMES, at=SIGNED_AT)
    assert pem(load_trust(tmp_path).roots[0]) == (tmp_path / "root.crt.pem").read_bytes()


def test_a_key_survives_a_power_cut_with_the_name_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda h: forced.append(Path(f"/proc/self/fd/{h}").readlink()))
    write(tmp_path / "signer.key.pem", b"a key")
    assert forced == [tmp_path / "signer.key.new", tmp_path]
