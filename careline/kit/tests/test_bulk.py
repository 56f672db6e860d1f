"""insert_rows writes exactly what Django's bulk_create writes, on either database, and settles conflicts the same way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from careline.clocks.models import Clock, Lease
from careline.conftest import Air
from careline.events.models import Event, EventCounter
from careline.files.models import StoredFile
from careline.kit import bulk, ids
from careline.kit.bulk import insert_rows, new_row
from careline.people.models import Identity, Link, Person

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
MADRID = timezone(timedelta(hours=1))


def _raw(model: type[models.Model], identifier: object) -> tuple[Any, ...]:
    """The row as the driver gives it: what a converter would hide shows here."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in model._meta.concrete_fields if not field.primary_key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE {quote(str(model._meta.pk.column))} = %s",
            [identifier],
        )
        return tuple(bytes(value) if isinstance(value, memoryview) else value for value in cursor.fetchone())


FACTS: list[Any] = [{}, [], {"a": [1, None, True, 2.5, "ñ 👩‍👩‍👧 \" ' % %s \\ \u2028"]}, ["x"], "text", 0, None]


@pytest.mark.parametrize("facts", FACTS)
def test_json_is_placed_as_django_places_it(facts: Any) -> None:
    ours, theirs = (Person(id=ids.new_id(), workspace_id=1, facts=facts, first_seen_at=NOON) for _ in range(2))
    if facts is None:
        ours.facts = theirs.facts = {"nothing": None}
    insert_rows([ours])
    Person.objects.bulk_create([theirs])
    assert _raw(Person, ours.id) == _raw(Person, theirs.id)
    assert Person.objects.get(id=ours.id).facts == theirs.facts


@pytest.mark.parametrize(
    "at", [NOON, NOON.replace(microsecond=0), NOON.astimezone(MADRID), NOON.replace(microsecond=500_000)]
)
def test_times_are_placed_as_django_places_them(at: datetime) -> None:
    ours, theirs = (
        Clock(id=ids.new_id(), workspace_id=1, kind=f"k{number}", subject_id=1, due_at=at, created_at=at)
        for number in range(2)
    )
    insert_rows([ours])
    Clock.objects.bulk_create([theirs])
    mine, djangos = Clock.objects.get(id=ours.id), Clock.objects.get(id=theirs.id)
    assert (mine.due_at, mine.fired_at, mine.created_at) == (djangos.due_at, None, djangos.created_at) == (at, None, at)
    assert Clock.objects.filter(due_at=at).count() == Clock.objects.filter(due_at__lte=at).count() == 2


def test_bytes_numbers_and_empty_columns_are_placed_as_django_places_them() -> None:
    for content in (b"", b"\0\xff%s'\\", bytearray(b"xyz"), memoryview(b"abc")):
        ours, theirs = (
            StoredFile(
                id=ids.new_id(),
                workspace_id=1,
                sha256=f"{ids.new_id()}",
                size_bytes=2**62,
                content_type="a/b",
                wrapped_key=content,
                created_at=NOON,
            )
            for _ in range(2)
        )
        insert_rows([ours])
        StoredFile.objects.bulk_create([theirs])
        mine, djangos = (StoredFile.objects.get(id=one.id) for one in (ours, theirs))
        assert bytes(mine.wrapped_key) == bytes(djangos.wrapped_key) == bytes(content)
        assert (mine.size_bytes, mine.width_px, mine.erased_at) == (2**62, None, None)


def test_every_model_of_the_product_is_written_as_django_writes_it(air: Air) -> None:
    """Walks all tables: a new column of a new kind is caught here before it is caught by a customer."""
    checked = set()
    for model in apps.get_models():
        if not model.__module__.startswith("careline.") or model._meta.pk.remote_field:
            continue
        ours, theirs = _example(model, air, 1), _example(model, air, 2)
        if ours is None or theirs is None:
            continue
        insert_rows([ours])
        model._default_manager.bulk_create([theirs])
        own = _unique_together(model) | {
            field.name for field in model._meta.concrete_fields if field.primary_key or field.unique
        }
        alike = [field.name for field in model._meta.concrete_fields if field.name not in own]
        mine, djangos = (
            model._default_manager.values_list(*alike).get(pk=one.pk) if alike else () for one in (ours, theirs)
        )
        assert mine == djangos, model
        checked.update(type(field).__name__ for field in model._meta.concrete_fields)
    assert {
        "BigIntegerField",
        "CharField",
        "IntegerField",
        "JSONField",
        "DateTimeField",
        "BinaryField",
        "BooleanField",
        "ForeignKey",
        "TextField",
        "FloatField",
        "SmallIntegerField",
    } <= checked


def _unique_together(model: type[models.Model]) -> set[str]:
    return {
        name for one in model._meta.constraints if isinstance(one, models.UniqueConstraint) for name in one.fields
    } | {name for one in model._meta.unique_together for name in one}


def _example(model: type[models.Model], air: Air, number: int) -> models.Model | None:
    """A row with something in every column; None where a needed parent is not at hand."""
    parents = {
        type(one): one
        for one in (
            air.workspace,
            air.care,
            air.channel,
            air.channel.connection,
            air.channel.brand,
            air.marta,
            air.marta_identity,
        )
    }
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            parent = parents.get(field.related_model)
            if (parent is None and not field.null) or field.unique:
                return None  # of a parent that can have one child only there is none left for the second row
            values[field.attname] = parent.pk if parent else None
        else:
            values[field.attname] = _value(field, number)
    return model(**values)


def _value(field: models.Field[Any, Any], number: int) -> Any:
    differs = field.primary_key or field.unique or field.name in _unique_together(field.model)
    if isinstance(field, models.BooleanField):
        return True
    if isinstance(field, models.FloatField):
        return 0.125
    if isinstance(field, models.SmallIntegerField | models.IntegerField):
        return 40 + number if differs else 7
    if isinstance(field, models.BinaryField):
        return b"\0\xff"
    if isinstance(field, models.DateTimeField):
        return NOON
    if isinstance(field, models.JSONField):
        return {"a": ["ñ", 1]}
    return (f"x{number}" if differs else "ñ")[: field.max_length]


def test_nothing_to_insert_asks_the_database_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        insert_rows([])
    assert len(asked) == 0


def test_a_conflict_overwrites_the_named_columns_and_no_other() -> None:
    insert_rows(
        [Lease(what="a", owner="old", expires_at=NOON, fence=1), Lease(what="b", owner="old", expires_at=NOON, fence=1)]
    )
    insert_rows(
        [
            Lease(what="a", owner="new", expires_at=NOON, fence=9),
            Lease(what="c", owner="new", expires_at=NOON, fence=9),
        ],
        unique=("what",),
        update=("owner",),
    )
    assert list(Lease.objects.order_by("what").values_list("what", "owner", "fence")) == [
        ("a", "new", 1),
        ("b", "old", 1),
        ("c", "new", 9),
    ]


def test_a_conflict_can_be_left_as_it_is(air: Air) -> None:
    twin = Identity(
        workspace_id=air.workspace.id,
        person=air.marta,
        network="testnet",
        scope=air.marta_identity.scope,
        key=air.marta_identity.key,
        name="Twin",
    )
    fresh = Identity(workspace_id=air.workspace.id, person=air.marta, network="testnet", scope="testnet", key="marta-2")
    insert_rows([twin, fresh], ignore_conflicts=True)
    assert not Identity.objects.filter(id=twin.id).exists()
    assert Identity.objects.filter(id=fresh.id).exists()


def test_a_conflict_nobody_allowed_is_an_error() -> None:
    insert_rows([EventCounter(workspace_id=5, n=1)])
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([EventCounter(workspace_id=5, n=2)])
    assert EventCounter.objects.get(workspace_id=5).n == 1


def test_more_rows_than_one_statement_takes_are_all_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_ROWS", 7)
    insert_rows(Event(workspace_id=3, n=n, kind="case.changed", at=NOON) for n in range(1, 51))
    assert list(Event.objects.filter(workspace_id=3).order_by("n").values_list("n", flat=True)) == list(range(1, 51))


def test_kinds_of_text_and_number_with_a_class_of_their_own_are_written_as_what_they_are() -> None:
    from enum import IntEnum

    from django.utils.safestring import mark_safe

    class Weight(IntEnum):
        HEAVY = 7

    insert_rows(
        [Event(workspace_id=3, n=Weight.HEAVY, kind=mark_safe("case.changed"), facts={"a": mark_safe("b")}, at=NOON)]
    )
    assert Event.objects.filter(workspace_id=3).values_list("n", "kind", "facts").get() == (
        7,
        "case.changed",
        {"a": "b"},
    )


def test_a_foreign_key_given_by_row_or_by_id_is_the_same(air: Air) -> None:
    by_row = Link(
        workspace_id=air.workspace.id, identity=air.marta_identity, person=air.marta, evidence="email", confidence=0.75
    )
    by_id = Link(
        workspace_id=air.workspace.id, identity_id=air.marta_identity.id, person_id=air.marta.id, evidence="email"
    )
    insert_rows([by_row, by_id])
    assert set(Link.objects.filter(person=air.marta).values_list("identity_id", "confidence")) == {
        (air.marta_identity.id, 0.75),
        (air.marta_identity.id, 1.0),
    }


def test_a_kind_of_column_without_a_rule_of_its_own_is_asked_how() -> None:
    import uuid

    unknown = models.UUIDField()
    unknown.set_attributes_from_name("x")
    convert = bulk._converter(unknown, connection.vendor)
    value = uuid.uuid4()
    assert convert is not None
    assert convert(value) == unknown.get_db_prep_save(value, connection)


@pytest.mark.parametrize("model", apps.get_models(), ids=lambda model: model._meta.label)
def test_a_new_row_is_what_the_model_itself_would_make(model: type[models.Model]) -> None:
    ours, theirs = new_row(model), model()
    changing = {field.attname for field in model._meta.concrete_fields if callable(field.default)}
    assert ours.__dict__.keys() == theirs.__dict__.keys()
    for name in ours.__dict__.keys() - changing - {"_state"}:
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours._state.adding and ours._state.db is None


def test_a_new_row_keeps_its_relations_and_shares_nothing_with_the_next() -> None:
    person = new_row(Person, workspace_id=1, name="Marta")
    identity = new_row(Identity, workspace_id=1, person=person, key="m")
    assert (identity.person_id, identity.person) == (person.id, person)
    person.facts["seen"] = True
    assert new_row(Person).facts == {} and new_row(Person).id != person.id


def test_a_new_row_refuses_a_name_that_is_no_field() -> None:
    with pytest.raises(TypeError, match="Person has no field 'nmae'"):
        new_row(Person, nmae="Marta")
