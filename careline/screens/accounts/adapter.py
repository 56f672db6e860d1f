"""Careline's rules for django-allauth."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: accounts come from the first run or an invitation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
