"""System mail (invitations, resets, alerts) through CARELINE_MAIL_URL; without it, to the log."""

from __future__ import annotations

from django.core.mail.backends.console import EmailBackend as Backend

__all__ = ["Backend"]
