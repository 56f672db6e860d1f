"""Serves four small scripts of the installed django-allauth (passkeys, recovery codes), unchanged, from our own origin.

They live in its package and not in our static folder, so that they always fit the installed version. The pages hand
them their data in inert JSON blocks, which the content policy `script-src 'self'` allows.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

_SCRIPTS = {
    "webauthn-json.js": ("allauth.mfa", "static/mfa/js/webauthn-json.js"),
    "webauthn.js": ("allauth.mfa", "static/mfa/js/webauthn.js"),
    "recovery_codes.js": ("allauth.mfa", "static/mfa/js/recovery_codes.js"),
    "onload.js": ("allauth.account", "static/account/js/onload.js"),
}
KEPT_S = 3600


@require_safe
def show_script(request: HttpRequest, name: str) -> HttpResponse:
    """One of the four; anything else does not exist."""
    if name not in _SCRIPTS:
        raise Http404
    answer = HttpResponse(_read(name), content_type="text/javascript; charset=utf-8")
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_S}"
    return answer


@lru_cache(maxsize=8)
def _read(name: str) -> bytes:
    package, path = _SCRIPTS[name]
    return files(package).joinpath(path).read_bytes()
