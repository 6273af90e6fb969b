"""Replace the keys that sign papers and QR codes; what the former ones signed stays ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from certificates.authority import (
    AuthorityMissing,
    AuthorityUnsound,
    Soundness,
    check_authority,
    read_certificate,
    read_certificates,
)
from certificates.founding import ROLES, Names, install, request, rotate
from certificates.keys import ALGORITHMS, making_keys


class Command(BaseCommand):
    """Rotates a local authority's keys, or asks a CA for a certificate and installs its answer."""

    help = "Give the authority new keys; with --request and --install, a CA's certificate."
    requires_system_checks = []  # what this command repairs

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do: rotate (the default), request or install."""
        parser.add_argument("--only", choices=ROLES, help="rotate one of the two keys")
        parser.add_argument("--algorithm", choices=ALGORITHMS, default="p256", help="of the signer")
        parser.add_argument(
            "--compromised", action="store_true", help="revoke the former certificate"
        )
        parser.add_argument(
            "--request", metavar="FILE", type=Path, help="write a request (PKCS#10) for your CA"
        )
        parser.add_argument(
            "--install", metavar="CHAIN", type=Path, help="install what the CA answered (PEM)"
        )
        parser.add_argument("--root", metavar="FILE", type=Path, help="the CA's root (PEM)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do one of the three and say how the authority stands now."""
        try:
            if options["request"]:
                self._request(options)
                return
            sound = self._install(options) if options["install"] else self._rotate(options)
        except (AuthorityMissing, AuthorityUnsound) as error:
            raise CommandError(f"Nothing was changed: {error}.") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        until = f"{sound.ends_at:%Y-%m-%d} ({sound.name})"
        self.stdout.write(f"New keys in {settings.OUTREACH_KEYS_DIR}, good until {until}.")
        self.stdout.write("Restart the service, then issue one certificate and check it.")

    def _request(self, options: dict[str, Any]) -> None:
        names = Names(settings.OUTREACH_ISSUER, demo=settings.OUTREACH_DEMO)
        made = request(settings.OUTREACH_KEYS_DIR, names, algorithm=options["algorithm"])
        options["request"].write_bytes(made)
        self.stdout.write(f"Send {options['request']} to your CA; then run --install CHAIN.")

    def _install(self, options: dict[str, Any]) -> Soundness:
        if options["root"] is None:
            raise CommandError("Name the CA's root too: --root FILE.")
        for file in (options["install"], options["root"]):
            if not file.exists():
                raise CommandError(f"Nothing was changed: there is no file {file}.")
        chain, now = read_certificates(options["install"]), timezone.localtime()
        root = read_certificate(options["root"])
        with making_keys(settings.OUTREACH_KEYS_DIR):
            install(settings.OUTREACH_KEYS_DIR, chain, root, at=now)
        return check_authority(settings.OUTREACH_KEYS_DIR, at=now)

    def _rotate(self, options: dict[str, Any]) -> Soundness:
        now = timezone.localtime()  # a certificate's dates must fit the clocks of those who verify
        names = Names(settings.OUTREACH_ISSUER, demo=settings.OUTREACH_DEMO)
        with making_keys(settings.OUTREACH_KEYS_DIR):
            rotate(
                settings.OUTREACH_KEYS_DIR,
                names,
                at=now,
                roles=[options["only"]] if options["only"] else tuple(ROLES),
                algorithm=options["algorithm"],
                compromised=options["compromised"],
            )
        return check_authority(settings.OUTREACH_KEYS_DIR, at=now)
