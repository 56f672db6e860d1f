"""The async door: hooks, streams, files, widget. Knows HTTP, knows no network by name, imports no Django; asgi.py hands it what it needs."""
