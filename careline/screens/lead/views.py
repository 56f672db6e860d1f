"""The lead's page: waiting, oldest, late, per agent and per channel, and every case as CSV."""

from __future__ import annotations

import csv
import io

from django.http import HttpResponse
from django.shortcuts import render

from careline.cases.queries.leading import export_rows, lead_page
from careline.kit import clock
from careline.screens.middleware import WorkspaceRequest


def show_lead(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET lead`."""
    return render(request, "lead/page.html", {"figures": lead_page(request.viewer)})


def export_cases(request: WorkspaceRequest, workspace: str) -> HttpResponse:
    """`GET lead/cases.csv`: one row a case, UTF-8 with a mark so that spreadsheets read it right."""
    content = io.StringIO()
    csv.writer(content).writerows(export_rows(request.viewer))
    answer = HttpResponse("\ufeff" + content.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="cases-{clock.now():%Y-%m-%d}.csv"'
    return answer
