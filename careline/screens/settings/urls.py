"""Addresses of settings, channels and trace, below /w/<workspace>/."""

from __future__ import annotations

from django.urls import path, re_path

from careline.screens.settings import (
    agent_views,
    channel_views,
    health_views,
    own_views,
    shelf_views,
    trace_views,
    workspace_views,
)
from careline.screens.settings.shelves import SHELVES

_SHELF = "|".join(SHELVES)

urlpatterns = [
    path("settings/", own_views.show_settings, name="settings"),
    path("settings/profile", own_views.show_profile, name="profile"),
    path("settings/availability", own_views.change_availability, name="availability"),
    path("settings/security", own_views.show_security, name="security"),
    path("settings/workspace", workspace_views.show_workspace, name="workspace"),
    path("settings/clocks", workspace_views.show_clocks, name="clocks"),
    path("settings/audit", workspace_views.show_audit, name="audit"),
    path("settings/audit.csv", workspace_views.export_audit, name="audit_csv"),
    path("settings/agents", agent_views.show_agents, name="agents"),
    path("settings/agents/<int:agent>", agent_views.show_agent, name="agent"),
    path("settings/agents/<int:agent>/end", agent_views.end_access, name="agent_end"),
    path("settings/agents/<int:agent>/return", agent_views.give_access, name="agent_return"),
    path("settings/agents/<int:agent>/availability", agent_views.change_agent_availability, name="agent_availability"),
    path("settings/invitations/<int:invitation>/withdrawal", agent_views.withdraw, name="invitation_withdrawal"),
    *(path(f"settings/{name}", shelf_views.show_shelf, {"shelf": name}, name=name) for name in SHELVES),
    re_path(rf"^settings/(?P<shelf>{_SHELF})/new$", shelf_views.show_entry, name="entry_new"),
    re_path(rf"^settings/(?P<shelf>{_SHELF})/(?P<entry>[0-9]{{1,18}})$", shelf_views.show_entry, name="entry"),
    re_path(
        rf"^settings/(?P<shelf>{_SHELF})/(?P<entry>[0-9]{{1,18}})/removal$",
        shelf_views.remove_entry,
        name="entry_removal",
    ),
    path("channels/", channel_views.show_channels, name="channels"),
    path("channels/new", channel_views.choose_network, name="networks"),
    path("channels/new/<slug:network>", channel_views.connect, name="connect"),
    path("channels/<int:channel>/", health_views.show_channel, name="channel"),
    path("channels/<int:channel>/change", channel_views.change, name="channel_change"),
    path("channels/<int:channel>/check", health_views.check, name="channel_check"),
    path("channels/<int:channel>/replay", health_views.replay_letters, name="channel_replay"),
    path("channels/<int:channel>/<slug:act>", health_views.act_on_channel, name="channel_act"),
    path("dead-letters/<int:letter>", health_views.download_letter, name="dead_letter"),
    path("trace/", trace_views.show_trace, name="trace"),
    path("trace/<path:reference>", trace_views.show_trace, name="trace_of"),
]
