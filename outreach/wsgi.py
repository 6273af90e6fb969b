"""The WSGI entry: it refuses to serve while a start-up check reports an error."""

import gc
import os
import sys

import django
from django.core.checks import ERROR, run_checks
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "outreach.settings")


def refuse_unsound() -> None:
    """Leave with the messages of the start-up checks, each of which says what to set."""
    unsound = [message for message in run_checks() if message.level >= ERROR]
    if unsound:
        lines = [f"{message.id}: {message.msg}" for message in unsound]
        sys.exit("\n".join(["The service does not start:", *lines]))


django.setup()
refuse_unsound()
application = get_wsgi_application()


def start_worker() -> None:
    """Let this process make the papers of batches and keep papers provable, too."""
    from certificates import upkeep, worker  # Django must stand before its models are read

    worker.start()
    upkeep.start()


start_worker()

# What was loaded stays: the collector need not look through it again and again, which costs a
# tenth of a second in the middle of somebody's request.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
