"""Who works here and for which brand. Account signs in; Agent is its membership of one workspace."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from careline.kit import clock, ids

LOCALES = [("en", "English"), ("es", "Español")]


class Workspace(models.Model):
    """One organisation; every row belongs to one. `slug` begins its addresses: /w/<slug>/."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    locale = models.CharField(max_length=8, choices=LOCALES, default="en")
    zone = models.CharField(max_length=60, default="UTC")
    keep_raw_days = models.IntegerField(default=30)
    keep_events_days = models.IntegerField(default=14)
    keep_sending_logs_days = models.IntegerField(default=90)
    keep_messages_days = models.IntegerField(null=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.slug


class Calendar(models.Model):
    """When clocks count. `hours`: weekday 0-6 (Monday first) -> list of ["09:00", "17:30"]; empty means around the clock.

    `holidays_country` names a country of the holidays package (`ES`, `ES-MD` with its region); `closed_days` are ISO dates.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=60, default="UTC")
    hours = models.JSONField(default=dict)
    holidays_country = models.CharField(max_length=12, default="", blank=True)
    closed_days = models.JSONField(default=list)


class Brand(models.Model):
    """A voice and a name. `formality` is how Spanish addresses the customer."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    sign_off = models.CharField(max_length=80, default="", blank=True)
    languages = models.JSONField(default=list)
    formality = models.CharField(max_length=8, choices=[("tu", "tú"), ("usted", "usted")], default="usted")
    zone = models.CharField(max_length=60, default="UTC")
    mail_signature = models.TextField(default="", blank=True)


class Team(models.Model):
    """A group of agents that shares a queue."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="team_name")]


class AccountManager(BaseUserManager["Account"]):
    """Accounts are found by e-mail address, compared in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Account:
        """A saved account; without a password it cannot sign in by one."""
        account = self.model(email=email.strip().lower(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def get_by_natural_key(self, email: str | None) -> Account:
        return self.get(email=(email or "").strip().lower())


class Account(AbstractBaseUser, PermissionsMixin):
    """Signs in. What it may do is its Agent's business, one per workspace."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, default="")
    locale = models.CharField(max_length=8, choices=LOCALES, default="en")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects: ClassVar[AccountManager] = AccountManager()

    def get_full_name(self) -> str:
        return self.name


class Agent(models.Model):
    """A member of staff in one workspace."""

    ROLES = [
        ("owner", "owner"),
        ("admin", "admin"),
        ("lead", "lead"),
        ("agent", "agent"),
        ("trainee", "trainee"),
        ("analyst", "analyst"),
        ("colleague", "colleague"),
    ]

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=12, choices=ROLES, default="agent")
    teams: models.ManyToManyField[Team, Any] = models.ManyToManyField(Team, blank=True, related_name="agents")
    languages = models.JSONField(default=list)
    is_away = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    signature = models.TextField(default="", blank=True)
    shortcuts_on = models.BooleanField(default=True)
    compact_rows = models.BooleanField(default=False)
    zone = models.CharField(max_length=60, default="", blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "account"], name="agent_once")]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """A single-use, expiring way in; also the first owner's one-time link. Only a hash of its token is kept."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True)
    email = models.EmailField(blank=True, default="")
    role = models.CharField(max_length=12, choices=Agent.ROLES, default="agent")
    team_ids = models.JSONField(default=list)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by_id = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)


class Audit(models.Model):
    """Who did what to whose data: sign-ins, roles, secrets, reveals, exports, erasures. Never message text."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=clock.now)
    agent_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=120, default="")
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "-id"], name="audit_newest")]


class Installation(models.Model):
    """One row: which copy of Careline this database belongs to, and whether its channels are held after a restore."""

    id = models.IntegerField(primary_key=True, default=1)
    home = models.CharField(max_length=200, default="")
    is_held = models.BooleanField(default=False)
    held_reason = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(default=clock.now)
