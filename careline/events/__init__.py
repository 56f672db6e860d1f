"""The spine: an append-only, numbered log per workspace. Events carry ids and versions, never text."""
