"""Every setting of the service, read from the environment here and nowhere else.

Missing or malformed values are reported by the system checks in `outreach.checks`, which
say what to set; the server refuses to start while one of them is an error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dj_database_url
from django.utils.translation import gettext_lazy as _

from outreach.environment import Environment, UnreadableSettings

BASE_DIR = Path(__file__).resolve().parent.parent
try:
    _env = Environment.read(os.environ, BASE_DIR / "var" / "outreach.env")
except UnreadableSettings as error:
    sys.exit(str(error))
ENVIRONMENT = _env

SECRET_KEY = _env.text("OUTREACH_SECRET_KEY", "", "Signs sessions; 50 random characters.")
OUTREACH_SEALING_KEYS = _env.words(
    "OUTREACH_SEALING_KEYS",
    "",
    "Keys that seal personal data: name:base64 of 32 bytes, the first one seals, all open.",
)
OUTREACH_INDEX_KEY = _env.text(
    "OUTREACH_INDEX_KEY", "", "Base64 of 32 bytes; looks up sealed ID numbers without opening them."
)
OUTREACH_DEMO = _env.switch("OUTREACH_DEMO", False, "1 on the demo county; never with real people.")
OUTREACH_CLOCK = _env.choice(
    "OUTREACH_CLOCK", "real", ("real", "simulated"), "simulated only together with OUTREACH_DEMO=1."
)
OUTREACH_TWO_FACTOR = (
    _env.switch(
        "OUTREACH_TWO_FACTOR",
        True,
        "1: administrators and approvers need a code from a telephone (never on the demo county).",
    )
    and not OUTREACH_DEMO
)
DEBUG = False
ALLOWED_HOSTS = [
    *_env.words("OUTREACH_HOSTS", "", "Host names that the service answers to, beside its own."),
    # What watches the service asks its own machine by these.
    "localhost",
    "127.0.0.1",
]
OUTREACH_HTTPS = _env.switch("OUTREACH_HTTPS", False, "1 behind TLS: secure cookies and HSTS.")
OUTREACH_HSTS = _env.choice(
    "OUTREACH_HSTS",
    "host",
    ("host", "domain", "preload"),
    "What browsers keep to TLS: this host, its subdomains too, or their built-in lists as well.",
)
OUTREACH_PUBLIC_URL = _env.text(
    "OUTREACH_PUBLIC_URL", "http://127.0.0.1:8000", "Address printed on papers and in QR codes."
).rstrip("/")

OUTREACH_DATA = _env.path(
    "OUTREACH_DATA", BASE_DIR / "var", "var", "Folder of the embedded database, files and keys."
)
OUTREACH_FILES = _env.path(
    "OUTREACH_FILES",
    OUTREACH_DATA / "files",
    "<data>/files",
    "Photos, signed papers, hand-ins.",
)
OUTREACH_BUCKET = _env.text(
    "OUTREACH_BUCKET",
    "",
    "Empty: files lie in the folder. Else a bucket of an S3-compatible store, sealed all the same:"
    " https://store/bucket?region=cn-north-1, or …/bucket/county?region=… for one of several.",
)
OUTREACH_BUCKET_KEY = _env.text("OUTREACH_BUCKET_KEY", "", "Access key for the bucket.")
OUTREACH_BUCKET_SECRET = _env.text("OUTREACH_BUCKET_SECRET", "", "Secret key for the bucket.")
OUTREACH_KEYS_DIR = _env.path(
    "OUTREACH_KEYS_DIR", OUTREACH_DATA / "keys", "<data>/keys", "The authority's signing keys."
)
OUTREACH_REVOCATIONS = _env.path(
    "OUTREACH_REVOCATIONS",
    OUTREACH_DATA / "revocations.jsonl",
    "<data>/revocations.jsonl",
    "Stopped tablets, ended accounts and papers, for a restored register; better on another disk.",
)
OUTREACH_ENROLMENTS = _env.path(
    "OUTREACH_ENROLMENTS",
    OUTREACH_DATA / "enrolments.jsonl",
    "<data>/enrolments.jsonl",
    "Enrolled tablets, for a restored register; better on another disk than the database.",
)
OUTREACH_ERASURES = _env.path(
    "OUTREACH_ERASURES",
    OUTREACH_DATA / "erasures.jsonl",
    "<data>/erasures.jsonl",
    "Cases erased at a citizen's request, for a restored register; better on another disk.",
)
_retention = _env.text(
    "OUTREACH_RETENTION",
    "",
    "Empty: nothing is erased by term. Else a TOML file with a county's own terms; those that come"
    " with the software hold for the rest.",
)
OUTREACH_RETENTION = Path(_retention) if _retention else None
_database_url = _env.text(
    "DATABASE_URL",
    "",
    "Empty: embedded SQLite. Else postgresql://user:password@host/name; the user's schema is used.",
)
OUTREACH_SQLITE_SYNCHRONOUS = _env.choice(
    "OUTREACH_SQLITE_SYNCHRONOUS",
    "FULL",
    ("FULL", "NORMAL"),
    "FULL: an acknowledgement survives a power cut.",
)

OUTREACH_BACKUP_RECIPIENTS = _env.words(
    "OUTREACH_BACKUP_RECIPIENTS",
    "",
    "Public keys (age1…) that backups are encrypted to; the secret ones stay off this machine.",
)

#: Touched whenever a backup is whole, for whoever watches.
OUTREACH_BACKED_UP = OUTREACH_DATA / "backed-up"
OUTREACH_MAX_PHOTO_BYTES = _env.number(
    "OUTREACH_MAX_PHOTO_BYTES", 12 * 1024 * 1024, "Largest photo accepted, in bytes."
)
OUTREACH_MAX_PHOTO_PIXELS = _env.number(
    "OUTREACH_MAX_PHOTO_PIXELS", 50_000_000, "Largest photo accepted, in pixels."
)
OUTREACH_UPLOAD_TTL_HOURS = _env.number(
    "OUTREACH_UPLOAD_TTL_HOURS", 72, "Hours after which an unfinished upload is dropped."
)
OUTREACH_UNKNOWN_HAND_IN_BYTES = _env.number(
    "OUTREACH_UNKNOWN_HAND_IN_BYTES",
    512 * 1024 * 1024,
    "Bytes for hand-ins of tablets not in the register, and for those of each locked one.",
)
OUTREACH_CO_SIGNERS = _env.number(
    "OUTREACH_CO_SIGNERS", 1, "Assessors who must sign beside the rater (local rule)."
)
OUTREACH_SECOND_OPINION = _env.switch(
    "OUTREACH_SECOND_OPINION", True, "1: grades 1 and 2 want a second opinion (local rule)."
)
OUTREACH_ROAD_FACTOR = _env.decimal(
    "OUTREACH_ROAD_FACTOR", 1.4, "Road kilometres per kilometre as the crow flies."
)
OUTREACH_ROUTING_URL = _env.text(
    "OUTREACH_ROUTING_URL",
    "",
    "Empty: travel by formula. Else the address of an OSRM server for planning; it is told the "
    "places of homes.",
)
OUTREACH_COUNTY_SEAT = _env.text(
    "OUTREACH_COUNTY_SEAT",
    "30.7988,106.0884",
    "Latitude,longitude (WGS-84) of the hospital that citizens would have travelled to.",
)
OUTREACH_ISSUER = _env.text(
    "OUTREACH_ISSUER", "南充市顺庆区残疾人联合会", "Name of the approving federation on papers."
)
OUTREACH_ISSUER_TELEPHONE = _env.text(
    "OUTREACH_ISSUER_TELEPHONE", "0817-0000000", "Supervising office's number on public notices."
)
OUTREACH_WORKER = _env.switch(
    "OUTREACH_WORKER",
    True,
    "1: the server makes the papers of batches and keeps them provable itself;"
    " 0: manage.py issue_batches, settle_certificates and upgrade_certificates do.",
)
OUTREACH_COUNTS = _env.choice(
    "OUTREACH_COUNTS",
    "process",
    ("process", "database"),
    "Where guesses and public checks are counted: in each process, or for all web processes"
    " together in the database.",
)
OUTREACH_LEASE_S = _env.number(
    "OUTREACH_LEASE_S", 60, "Seconds after which another worker takes up the papers of a dead one."
)
OUTREACH_FONTS = _env.words(
    "OUTREACH_FONTS", "", "Font files tried after the bundled ones, for names with rare characters."
)
OUTREACH_TSA_URL = _env.text(
    "OUTREACH_TSA_URL", "", "Time-stamp authority (RFC 3161) for new certificates; empty: none."
)

OUTREACH_SM2 = _env.switch(
    "OUTREACH_SM2",
    False,
    "1: sign every issued file with SM2 as well, detached, beside the PDF (needs OpenSSL 3).",
)

OUTREACH_REPLY_WORKING_DAYS = _env.number(
    "OUTREACH_REPLY_WORKING_DAYS", 3, "Working days in which a question is answered, as promised."
)
OUTREACH_SENDER = _env.choice(
    "OUTREACH_SENDER",
    "console",
    ("console", "file", "gateway"),
    "How families are notified: printed, laid sealed among the files, or by an SMS gateway.",
)
OUTREACH_SMS_URL = _env.text(
    "OUTREACH_SMS_URL", "", "Where the SMS gateway takes a POST of telephone and text as JSON."
)
OUTREACH_SMS_TOKEN = _env.text(
    "OUTREACH_SMS_TOKEN", "", "Shown to the SMS gateway as a bearer token."
)
OUTREACH_SMS_IDEMPOTENT = _env.switch(
    "OUTREACH_SMS_IDEMPOTENT",
    False,
    "1 where the gateway sends the same Idempotency-Key once; else a lost answer is never retried.",
)

OUTREACH_METRICS_TOKEN = _env.text(
    "OUTREACH_METRICS_TOKEN", "", "Who shows it may read /metrics; empty: nobody may."
)
OUTREACH_METRICS_FOLDER = _env.text(
    "PROMETHEUS_MULTIPROC_DIR",
    "",
    "Folder in which several server processes share their counts; emptied at each start.",
)
OUTREACH_LOG_FORMAT = _env.choice(
    "OUTREACH_LOG_FORMAT", "plain", ("plain", "json"), "json: one object a line, for a log store."
)
OUTREACH_LOG_LEVEL = _env.choice(
    "OUTREACH_LOG_LEVEL", "WARNING", ("WARNING", "INFO"), "INFO: one line for each request too."
)

INSTALLED_APPS = [
    "outreach",
    "certificates",
    "mobile_api",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
]
MIDDLEWARE = [
    "outreach.watch.middleware.watched",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "outreach.desk.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "mobile_api.packing.answers_packed",
    "mobile_api.turns.exchanges_in_turn",
]
ROOT_URLCONF = "outreach.urls"
WSGI_APPLICATION = "outreach.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [BASE_DIR / "outreach" / "desk" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "outreach.desk.context.desk",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
            "libraries": {
                "desk": "outreach.desk.tags",
                "taking_along": "outreach.desk.taking_along",
            },
        },
    }
]

_SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": OUTREACH_DATA / "outreach.sqlite3",
    "CONN_MAX_AGE": 600,
    "OPTIONS": {
        # A deferred transaction that turns into a write meets "database is locked" at once;
        # an immediate one waits its turn for up to `timeout` seconds.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # The pages of the desk ask so many that an exchange's would be prepared anew each time.
        "cached_statements": 512,
        "init_command": (
            "PRAGMA journal_mode=WAL;"
            f"PRAGMA synchronous={OUTREACH_SQLITE_SYNCHRONOUS};"
            "PRAGMA foreign_keys=ON;"
        ),
    },
}


def _postgresql(url: str) -> dict[str, Any]:
    """Return the database of a URL; the statements of an exchange are prepared (statements.py)."""
    try:
        told: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=600))
    except ValueError:
        told = {"ENGINE": ""}
    if told["ENGINE"] != "django.db.backends.postgresql":
        # Not what was read: the password may stand in it.
        sys.exit(
            "DATABASE_URL cannot be read. It is written postgresql://user:password@host/name, and"
            " in a password # is written %23, / %2F, ? %3F, @ %40, : %3A and % %25."
        )
    return told | {"OPTIONS": {**told.get("OPTIONS", {}), "prepare_threshold": 5}}


DATABASES = {"default": _postgresql(_database_url) if _database_url else _SQLITE}
#: Of more than are kept the oldest are forgotten: whoever wants to guess on need not make so many.
_KEPT = {"OPTIONS": {"MAX_ENTRIES": 100_000}}
_COUNTS = {
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", **_KEPT},
    "database": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "outreach_counts",
        **_KEPT,
    },
}
CACHES = {"default": _COUNTS[OUTREACH_COUNTS]}
#: Whoever asks is whom the nearest proxy names: what they wrote before that is no way out.
NINJA_NUM_PROXIES = 1
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "outreach.User"
LOGIN_URL = "desk:sign_in"
LOGIN_REDIRECT_URL = "desk:home"
LOGOUT_REDIRECT_URL = "desk:home"
PASSWORD_HASHERS = ["outreach.models.passwords.Argon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "outreach" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = OUTREACH_DATA / "static"
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "outreach.files.incoming.SealedUploadHandler",
]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "outreach.desk.once_more.too_old"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = OUTREACH_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if OUTREACH_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = OUTREACH_HTTPS and OUTREACH_HSTS != "host"
SECURE_HSTS_PRELOAD = OUTREACH_HTTPS and OUTREACH_HSTS == "preload"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if OUTREACH_HTTPS else None
# What watches the service asks its own machine, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Both ask for more than this host, which the domain's owner decides on: OUTREACH_HSTS.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

_FIELDS = "{asctime} {levelname} {name} {message}"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "outreach.watch.logs.PlainLines", "fmt": _FIELDS, "style": "{"},
        "json": {"()": "outreach.watch.logs.JsonLines", "fmt": _FIELDS, "style": "{"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": OUTREACH_LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"outreach": {"level": OUTREACH_LOG_LEVEL}},
}
