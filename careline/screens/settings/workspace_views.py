"""The workspace itself: name, language, zone, retention, clocks, and the audit log."""

from __future__ import annotations

import csv
import io

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from careline.cases.actions.defining import change_policies
from careline.cases.clocks import policies_of
from careline.events.recording import unit_of_work
from careline.screens.middleware import WorkspaceRequest
from careline.screens.settings.forms import ClocksForm, RetentionForm, WorkspaceForm, zone_names
from careline.screens.settings.pages import attempt, done, render_settings, status_of
from careline.screens.settings.phrases import audit_words, fact_words
from careline.workspaces.actions.keeping import change_retention, change_workspace
from careline.workspaces.audit import AUDIT_VERBS, record_audit
from careline.workspaces.queries import AUDIT_PAGE, AuditLine, access_workspace, list_agents, list_audit
from careline.workspaces.roles import check_may

MOST_EXPORTED = 10_000


@require_http_methods(["GET", "HEAD", "POST"])
def show_workspace(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """Two forms on one page: `part` says which was sent."""
    check_may(request.viewer.role, "manage_workspace")
    row = access_workspace(request.viewer.workspace_id)
    part = request.POST.get("part", "") if request.method == "POST" else ""
    form = WorkspaceForm(request.POST) if part == "workspace" else WorkspaceForm.of(row)
    retention = RetentionForm(request.POST) if part == "retention" else RetentionForm.of(row)
    if part == "workspace" and attempt(form, lambda: change_workspace(request.viewer, **form.cleaned_data)):
        return done(request, _("Saved."), "workspace", workspace=workspace)
    if part == "retention" and attempt(retention, lambda: change_retention(request.viewer, retention.retention())):
        return done(request, _("Saved."), "workspace", workspace=workspace)
    facts = {"form": form, "retention": retention, "row": row, "zones": zone_names()}
    return render_settings(request, "workspace.html", "workspace", facts, status=status_of(form, retention))


@require_http_methods(["GET", "HEAD", "POST"])
def show_clocks(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """How soon an answer is owed."""
    check_may(request.viewer.role, "manage_workspace")
    policies = policies_of(request.viewer.workspace_id)
    form = ClocksForm(request.POST if request.method == "POST" else None, policies=policies)
    if request.method == "POST" and attempt(form, lambda: change_policies(request.viewer, form.policies())):
        return done(request, _("Saved. Clocks started from now on count with it."), "clocks", workspace=workspace)
    return render_settings(request, "clocks.html", "clocks", {"form": form}, status=status_of(form))


@require_safe
def show_audit(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """The audit log, a hundred rows a page, by verb and agent."""
    check_may(request.viewer.role, "see_audit")
    chosen = _chosen(request)
    lines = list_audit(request.viewer.workspace_id, **chosen)  # type: ignore[arg-type] # checked by _chosen
    facts = {
        "rows": [(line, audit_words(line), fact_words(line.facts)) for line in lines],
        "next_id": lines[-1].id if len(lines) == AUDIT_PAGE else None,
        "verbs": sorted((verb, audit_words(verb)) for verb in AUDIT_VERBS),
        "agents": list_agents(request.viewer.workspace_id),
        "verb": chosen["verb"],
        "agent_id": chosen["agent_id"],
    }
    return render_settings(request, "audit.html", "audit", facts)


@require_safe
def export_audit(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """The same rows as CSV; the export itself is audited."""
    viewer = request.viewer
    check_may(viewer.role, "see_audit")
    lines = list_audit(viewer.workspace_id, limit=MOST_EXPORTED)
    with unit_of_work() as work:
        record_audit(
            work,
            "audit_exported",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            facts={"rows": len(lines)},
        )
    answer = HttpResponse(_as_csv(lines), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


def _as_csv(lines: list[AuditLine]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["at", "actor", "verb", "subject", "facts"])
    for line in lines:
        facts = " ".join(f"{key}={value}" for key, value in sorted(line.facts.items()))
        writer.writerow([line.at.isoformat(), *map(_harmless, (line.actor, line.verb, line.subject, facts))])
    return out.getvalue()


def _harmless(text: str) -> str:
    """A spreadsheet must not take a name for a formula (CWE-1236)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _chosen(request: WorkspaceRequest) -> dict[str, int | str | None]:
    verb, before, agent = (request.GET.get(name, "") for name in ("verb", "before", "agent"))
    return {
        "verb": verb if verb in AUDIT_VERBS else "",
        "before_id": int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
        "agent_id": int(agent) if agent.isascii() and agent.isdigit() and len(agent) < 19 else None,
    }
