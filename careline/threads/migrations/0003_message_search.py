"""The search table of both databases: FTS5 with secure-delete where SQLite has it, tsvector with a GIN index on PostgreSQL."""

from django.db import migrations

SQLITE = (
    "CREATE VIRTUAL TABLE message_search USING fts5(words, workspace_id UNINDEXED, case_id UNINDEXED, tokenize='unicode61 remove_diacritics 2')",
)
POSTGRESQL = (
    "CREATE TABLE message_search (id bigint PRIMARY KEY, workspace_id bigint NOT NULL, case_id bigint NOT NULL, words tsvector NOT NULL)",
    "CREATE INDEX message_search_words ON message_search USING gin (words)",
    "CREATE INDEX message_search_newest ON message_search (workspace_id, id DESC)",
)


def create(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)
    if schema_editor.connection.vendor == "sqlite":
        from careline.threads.search import has_secure_delete

        if has_secure_delete():
            schema_editor.execute("INSERT INTO message_search(message_search, rank) VALUES ('secure-delete', 1)")


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE message_search")


class Migration(migrations.Migration):
    dependencies = [("threads", "0002_bound_threads")]
    operations = [migrations.RunPython(create, drop)]
