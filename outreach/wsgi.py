"""The WSGI entry: it refuses to serve while a start-up check reports an error."""

import gc
import os
import sys
import threading

import django
from django.core.cache import caches
from django.core.checks import ERROR, Tags, run_checks
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, connections
from django.urls import base as addresses
from django.utils import timezone
from django.utils.translation import trans_real as languages

MOST_CONNECTIONS = 24
#: Seconds a thread computes before another's turn: an exchange asks the database thirty times, and
#: after each answer it waits so long for everyone who computes.
SWITCH_EVERY = 0.001

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "outreach.settings")


def refuse_unsound() -> None:
    """Leave with the messages of the start-up checks, each of which says what to set."""
    found = [*run_checks(), *run_checks(tags=[Tags.database], databases=[DEFAULT_DB_ALIAS])]
    unsound = [message for message in found if message.level >= ERROR]
    if unsound:
        lines = [f"{message.id}: {message.msg}" for message in unsound]
        sys.exit("\n".join(["The service does not start:", *lines]))


def share_connections() -> None:
    """Let the threads of this process share a few connections to the database.

    Most of them wait for slow lines, and a connection of its own for each would be more than
    PostgreSQL has, and a cold one on SQLite. Those who find none free wait in the order they came
    on PostgreSQL, and open one on SQLite.
    """
    here = connections.settings[DEFAULT_DB_ALIAS]
    connections.close_all()
    here["CONN_MAX_AGE"] = 0  # what a request used goes back at its end
    if here["ENGINE"] == "django.db.backends.postgresql":
        here["OPTIONS"]["pool"] = {"min_size": 2, "max_size": MOST_CONNECTIONS, "timeout": 30}
    else:
        here["ENGINE"] = "outreach.shared_sqlite"
        del connections[DEFAULT_DB_ALIAS]


def keep_locals_in_threads() -> None:
    """Keep what a thread knows (its language, its connection) where no other thread looks.

    Django keeps it where coroutines find it, too, behind one lock for all threads. A page asks for
    it hundreds of times; where many are made at once all wait for one that holds the lock and has
    no turn to compute. Nothing here is a coroutine, nor need be looked for: an exchange asks for
    its connection two hundred times.
    """
    for holder, name in [
        (languages, "_active"),
        (timezone, "_active"),
        (addresses, "_prefixes"),
        (addresses, "_urlconfs"),
        (caches, "_connections"),
        (connections, "_connections"),
    ]:
        setattr(holder, name, threading.local())


django.setup()
refuse_unsound()
share_connections()
keep_locals_in_threads()
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
sys.setswitchinterval(SWITCH_EVERY)
