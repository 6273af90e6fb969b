"""The service's own settings with keys of the test run; `DATABASE_URL` chooses the database."""

import os
import tempfile
from pathlib import Path

_folder = tempfile.TemporaryDirectory(prefix="outreach-tests-")  # gone with this process
_data = Path(_folder.name)
(_data / "static").mkdir()
os.environ.update(
    {
        "OUTREACH_ENV_FILE": "/dev/null",
        "OUTREACH_SECRET_KEY": "a key of the test run, which nothing outside it ever sees",
        "OUTREACH_SEALING_KEYS": "t1:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
        "OUTREACH_INDEX_KEY": "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=",
        "OUTREACH_DEMO": "1",
        "OUTREACH_CLOCK": "simulated",
        "OUTREACH_DATA": str(_data),
        "OUTREACH_SQLITE_SYNCHRONOUS": "NORMAL",
    }
)

from outreach.settings import *  # noqa: E402, F403

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # In memory there would be one connection, which the pages' server and the test then share: a
    # request still running while the test goes on broke whichever came second.
    DATABASES["default"]["TEST"] = {"NAME": str(_data / "register.sqlite3")}  # noqa: F405

# A test's client has middlewares of its own: looking for all static files at each is most of it.
WHITENOISE_AUTOREFRESH = True
