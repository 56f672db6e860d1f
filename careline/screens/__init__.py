"""HTML for people: views and Jinja2 templates per screen. Calls actions and queries, never tables."""
