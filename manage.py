#!/usr/bin/env python
"""Run one of the project's commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "outreach.settings")
    from django.core.checks import Tags
    from django.core.management import BaseCommand, execute_from_command_line
    from django.db import OperationalError

    # Whether pages and their addresses fit together the server asks, and `check`: an operator's
    # command would load all of them first, which takes longer than most commands do. What asks the
    # database is for those that name one, as migrate does.
    BaseCommand.requires_system_checks = ["installation", Tags.database]

    os.umask(0o077)  # exported papers, opened hand-ins, a new register: for this account alone
    try:
        execute_from_command_line(sys.argv)
    except (OperationalError, OSError) as error:
        # A disk that is full, a database that is away: where in our lines that was helps nobody.
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"The database or a disk refused: {error}")


if __name__ == "__main__":
    main()
