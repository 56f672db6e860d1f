"""Careline's configuration: everything comes from the environment (`CARELINE_*`, or `CARELINE_*_FILE` naming a file that holds it).

Each name is documented in docs/operations.md; a test fails when one is not.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from careline.errors import InputRefused


def _read(name: str, default: str = "") -> str:
    path = os.environ.get(f"CARELINE_{name}_FILE")
    if not path:
        return os.environ.get(f"CARELINE_{name}", default)
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(
            "setting_unreadable", f"CARELINE_{name}_FILE names {path}, which cannot be read ({type(error).__name__})."
        ) from error


def _number(name: str, default: int) -> int:
    given = _read(name, str(default))
    if not given.isascii() or not given.isdigit():
        raise InputRefused("setting_wrong", f"CARELINE_{name} must be a whole number, and is {given!r}.")
    return int(given)


def _flag(name: str, default: bool = False) -> bool:
    return _read(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


BASE_DIR = Path(__file__).resolve().parent
DATA_DIR = Path(_read("DATA", "data")).resolve()
DATABASE_URL = _read("DATABASE_URL")
BASE_URL = _read("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
TRUSTED_PROXIES = [part.strip() for part in _read("TRUSTED_PROXIES").split(",") if part.strip()]
MAIL_URL = _read("MAIL_URL")
MAIL_FROM = _read("MAIL_FROM", "careline@localhost")
METRICS_TOKEN = _read("METRICS_TOKEN")
HOOK_BODY_LIMIT_BYTES = _number("HOOK_BODY_LIMIT", 4 * 1024 * 1024)
UPLOAD_LIMIT_BYTES = _number("UPLOAD_LIMIT", 25 * 1024 * 1024)
JOURNAL_MARK = _number("JOURNAL_MARK", 20000)
ALLOW_PRIVATE_ADDRESSES = _flag("ALLOW_PRIVATE_ADDRESSES")
TRIAGE = _flag("TRIAGE", True)
LOG_FORMAT = _read("LOG_FORMAT", "console")
LOG_LEVEL = _read("LOG_LEVEL", "info")


def _secret_key() -> str:
    """The installation key: from the environment, else made on first use beside the database, readable by its owner alone."""
    given = _read("SECRET_KEY")
    if given:
        return given
    path = DATA_DIR / "secret.key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _database() -> dict[str, object]:
    if not DATABASE_URL:
        return {
            "ENGINE": "careline.kit.sqlite",
            "NAME": DATA_DIR / "careline.sqlite3",
            "OPTIONS": {"timeout": 30},
            "CONN_MAX_AGE": None,
        }
    parts = urlsplit(DATABASE_URL)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise InputRefused("setting_wrong", "CARELINE_DATABASE_URL must begin with postgresql://")
    options: dict[str, object] = {
        "pool": {"min_size": 1, "max_size": _number("DATABASE_POOL", 16)},
        **dict(parse_qsl(parts.query)),
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "OPTIONS": options,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = [part for part in _read("OLD_SECRET_KEYS").split(",") if part]
DATABASES = {"default": _database()}
DEBUG = False
ALLOWED_HOSTS = [part.strip() for part in _read("HOSTS").split(",") if part.strip()] or [
    urlsplit(BASE_URL).hostname or "localhost",
    "127.0.0.1",
    "localhost",
]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
_IS_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "careline_session"
CSRF_COOKIE_NAME = "careline_csrf"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if _IS_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "careline.events",
    "careline.files",
    "careline.clocks",
    "careline.workspaces",
    "careline.channels",
    "careline.people",
    "careline.threads",
    "careline.triage",
    "careline.outbox",
    "careline.cases",
    "careline.knowledge",
    "careline.intake",
    "careline.screens",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "careline.screens.middleware.WorkspaceMiddleware",
]
ROOT_URLCONF = "careline.screens.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [],
        "APP_DIRS": False,
        "NAME": "jinja",
        "OPTIONS": {"environment": "careline.screens.templating.environment"},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "screens" / "accounts" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]
AUTH_USER_MODEL = "workspaces.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "careline.screens.accounts.adapter.AccountAdapter"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {"login": "careline.screens.accounts.signing_forms.SignInForm"}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Without it allauth writes the request's own Host header into every subject.
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Careline] "
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme
PASSWORD_RESET_TIMEOUT = 24 * 3600
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Careline"
MFA_ADAPTER = "careline.screens.accounts.adapter.MfaAdapter"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _IS_HTTPS

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "careline",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
STATIC_URL = "/static/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DEFAULT_FROM_EMAIL = MAIL_FROM
EMAIL_BACKEND = "careline.screens.accounts.mailing.Backend"
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS = ["models.W042"]
