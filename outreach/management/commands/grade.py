"""manage.py grade FILE: grade a list of cases by GB/T 26341-2010."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from outreach.domain.grading import BadCase, grade_document


class Command(BaseCommand):
    """Print the grades of a JSON list of cases, in the same order, or nothing at all."""

    help = (
        "Grade a JSON list of cases by GB/T 26341-2010 and print a JSON list of results in the "
        "same order. Input that cannot be graded ends with exit status 2 and prints no result."
    )
    # grading needs no database and no deployment: a broken one must not stand in its way
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one argument."""
        parser.add_argument("file", type=Path, metavar="FILE", help="a JSON list of cases, UTF-8")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Grade the file and print the results."""
        file: Path = options["file"]
        try:
            results = grade_document(file.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not UTF-8 text"
            raise CommandError(f"{file}: cannot be read: {reason}", returncode=2) from error
        except BadCase as error:
            raise CommandError(f"{file}: {error}", returncode=2) from error
        # JSON may be escaped: a terminal that cannot show Chinese still gets every result
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        escape = encoding.lower().replace("-", "") != "utf8"
        self.stdout.write(json.dumps(results, ensure_ascii=escape, indent=2))
