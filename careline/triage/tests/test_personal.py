"""Personal data: what must be found, its negative twins, disguises, and that masks hide and stay."""

from __future__ import annotations

import pytest

from careline.triage.personal import KINDS, find_personal, mask
from careline.triage.protocol import Span

_MRZ3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
_MRZ1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"

FOUND = [
    ("card", "My card is {}, thanks", "4111 1111 1111 1111"),
    ("card", "tarjeta {}", "4111-1111-1111-1111"),
    ("card", "{}", "4111.1111.1111.1111"),
    ("card", "amex {}!", "3782 822463 10005"),
    ("card", "({})", "5555555555554444"),
    ("card", "maestro {}", "503802053770"),
    ("card", "paid with {} yesterday", "6759 6498 2643 8453"),
    ("card", "digit by digit {}", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
    ("iban", "devolvedlo a {} por favor", "ES91 2100 0418 4502 0005 1332"),
    ("iban", "IBAN: {}.", "GB82WEST12345698765432"),
    ("iban", "iban {} danke", "de89 3704 0044 0532 0130 00"),
    ("email", "write to {}, please", "marta.lopez+miles@example.co.uk"),
    ("email", "<{}>", "o'brien@example.com"),
    ("email", "mi correo es {}", "maría@ejemplo.es"),
    ("email", "it is {}", "marta (at) example (dot) com"),
    ("phone", "call me on {}", "600 123 123"),
    ("phone", "{} is mine", "+34 600 123 123"),
    ("phone", "ring {} now", "(202) 456-1111"),
    ("phone", "llámame al {}", "911234567"),
    ("phone", "appelez le {}", "04 93 92 16 85"),
    ("phone", "UK: {}", "020 7946 0018"),
    ("phone", "my number: {}", "345-899-3560x4587"),
    ("phone", "mi teléfono es el {}", "6 1 2 3 4 5 6 7 8"),
    ("booking", "confirmation number {}", "123456"),
    ("phone", "whatsapp {}", "0044 20 7946 0018"),
    ("national_id", "DNI {}", "12345678Z"),
    ("national_id", "dni {}", "12.345.678-Z"),
    ("national_id", "mi NIE es {}", "X1234567L"),
    ("national_id", "CIF {}", "A58818501"),
    ("national_id", "codice fiscale {}", "RSSMRA85T10A562S"),
    ("national_id", "NIR {}", "2 55 08 14 168 025 38"),
    ("national_id", "CPF {}", "390.533.447-05"),
    ("national_id", "meu cpf é {}", "39053344705"),
    ("national_id", "cuit {}", "20-05536168-2"),
    ("national_id", "RUT {}", "12.345.678-5"),
    ("national_id", "CURP {}", "BOXW310820HNERXN09"),
    ("national_id", "NI number {}", "AB 12 34 56 C"),
    ("national_id", "Steuer-ID {}", "36574261809"),
    ("national_id", "BSN {}", "111222333"),
    ("national_id", "NIF {}", "501964843"),
    ("ssn", "my SSN: {}", "536-90-4399"),
    ("ssn", "social security number {}", "536904399"),
    ("passport", "passport {} expires soon", "PAA123456"),
    ("passport", "Reisepass {}", "C01X00T47"),
    ("passport", "{}", _MRZ3),
    ("passport", "{}", _MRZ1),
    ("passport", "nur die zweite Zeile {}", _MRZ3.partition("\n")[2]),
    ("booking", "booking reference {}", "X5K9L2"),
    ("booking", "PNR: {}", "QWERTZ"),
    ("booking", "mi localizador es {} y no me deja", "JK4PL7"),
    ("booking", "código de reserva {}", "M8YB4Q"),
    ("booking", "Conf #{}", "MQXC64"),
    ("booking", "my pnr is {}", "x5k9l2"),
    ("ip", "from {}", "106.31.73.20"),
    ("ip", "ip {}", "6e40:4041:c617:e898:c11:40d2:c669:2eb4"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "around", "words"), FOUND)
def test_it_is_found_where_it_stands(what: str, around: str, words: str) -> None:
    text = around.format(words)
    found = find_personal(text)
    assert [(one.what, text[one.start : one.end]) for one in found] == [(what, words)]


NOTHING = [
    "", "hola", "👍👍👍", "no digits and no sign here, only words",
    "order 4111111111111112", "order 4111 1111 1111 1111 never came", "my order 503802053770 is late", "tracking number 1Z999AA10123456784",
    "card ending in 1111", "ES92 2100 0418 4502 0005 1332", "GB82WEST1234569876543",
    "@ana@mastodon.social said so", "follow @marta", "icon@2x.png", "npm i left-pad@1.2.3", "me @ the airport.Delayed",
    "order 12345678 and invoice 2015123456", "flight IB3166 and AA2444 at 10:30:45", "on 22/02/2015, 22-02-2015, 2015-02-22 and 22.02.2015",
    "2015-2016 season", "it cost $1,234,567.89 or 1.234.567 €", "12.99 14.50 20.00", "#600123123", "case 8465981 still open", "seguimiento 911234567",
    "https://example.test/status/4111111111111111", "https://t.co/abc123def", "1,000,000 followers", "40.416775, -3.703790", "000000000000",
    "DNI 12345678A", "12345678", "claim 12345678Z", "536904399", "000-12-3456", "111222333", "39053344705", "501964843",
    "my passport is lost", "passport control at 10", "pasaporte caducado el 22/02/2015",
    "MY BOOKING FAILED AGAIN", "booking system broken", "booking AA2444 cancelled", "reserva IB3166", "my booking PLEASE help", "code is BROKEN", "X5K9L2",
    "I need a refund for booking on 22FEB15", "NUMERO DE RESERVA URGENTE", "reservation 1234567890",
    "version 10.0.0.1 of the app", "127.0.0.1", "at 10:30:45:12", "999.1.1.1", "1.2.3", "dead:beef", "12:34:56:78:90:12:34:56",
    "#AA2444 #IB3166", "seats 12A, 12B and 14C", "B787-9", "90210", "SW1A 1AA", "I waited 4 hours 30 minutes, gate B12, row 24",
    "•••• 1111", "m•••@e•••.com", "[Phone]", "[Teléfono] 4673395",
]  # fmt: skip


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert find_personal(text) == []


def test_a_possible_number_needs_the_word_for_a_telephone() -> None:
    assert find_personal("467 3395") == []
    assert [one.what for one in find_personal("my phone 467 3395")] == ["phone"]


def test_the_nearer_word_decides() -> None:
    assert [one.what for one in find_personal("about my order: call 911234567")] == ["phone"]
    assert find_personal("I called about my order 911234567") == []


def test_several_stand_side_by_side() -> None:
    text = "600123123 611234567, ana@example.com / 4111111111111111 PNR X5K9L2"
    assert [one.what for one in find_personal(text)] == ["phone", "phone", "email", "card", "booking"]


@pytest.mark.parametrize(
    ("disguised", "what"),
    [
        ("４１１１ １１１１ １１１１ １１１１", "card"),
        ("٤١١١ ١١١١ ١١١١ ١١١١", "card"),
        ("4111\u200b1111\u200b1111\u200b1111", "card"),
        ("4\u20601\u20601\u20601 1111 1111 1111", "card"),
        ("4111–1111–1111–1111", "card"),
        ("4111\u00a01111\u20091111\u202f1111", "card"),
        ("𝟒𝟏𝟏𝟏 1111 1111 1111", "card"),
        ("4️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣", "card"),
        ("ana＠example.com", "email"),
        ("ana﹫example．com", "email"),
        ("a\u00adna@exam\u200dple.com", "email"),
        ("ЕЅ91 2100 0418 4502 0005 1332", "iban"),
        ("tel ＋３４ ６００ １２３ １２３", "phone"),
        ("１０６．３１．７３．２０", "ip"),
        ("DNI １２３４５６７８Ｚ", "national_id"),
    ],
)
def test_a_disguise_does_not_help(disguised: str, what: str) -> None:
    assert [one.what for one in find_personal(disguised)] == [what]


def test_offsets_are_code_points_of_the_text_as_it_came() -> None:
    text = "👩‍👩‍👧 \u200bcard 4111\u200b1111 11111111! ana＠example.com"
    found = [text[one.start : one.end] for one in find_personal(text)]
    assert found == ["4111\u200b1111 11111111", "ana＠example.com"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("600-123-123,611-222-333", "phone"),
        ("600123123/611222333", "phone"),
        ("600123123,611222333", "phone"),
        ("22/02/2015 600123123 611222333", "phone"),
        ("12345678Z,87654321X", "national_id"),
        ("4111111111111111,5555555555554444", "card"),
        ("ana@example.com,ben@example.com", "email"),
    ],
)
def test_two_in_a_list_are_both_found(text: str, what: str) -> None:
    assert [one.what for one in find_personal(text)] == [what, what]


def test_a_mask_says_what_it_was() -> None:
    text = "4111 1111 1111 1111, marta@example.com, ES91 2100 0418 4502 0005 1332, +34 600 123 123, DNI 12345678Z"
    assert mask(text, find_personal(text)) == "•••• 1111, m•••@e•••.com, [IBAN], [Phone], DNI [ID number]"


def test_what_is_kept_stays_and_names_can_be_translated() -> None:
    text = "PNR X5K9L2, tel 600 123 123"
    found = find_personal(text)
    assert mask(text, found, keep={"booking"}) == "PNR X5K9L2, tel [Phone]"
    assert mask(text, found, names={"phone": "Teléfono", "booking": "Reserva"}) == "PNR [Reserva], tel [Teléfono]"


def test_masking_nothing_changes_nothing() -> None:
    assert mask("4111", []) == "4111"
    assert mask("ab", [Span(0, 2, "phone"), Span(1, 2, "card")]) == "[Phone]"


def test_every_kind_has_a_name() -> None:
    assert {what for what, _, _ in FOUND} == set(KINDS)


def test_regions_decide_whose_numbers_need_no_prefix() -> None:
    assert find_personal("911234567", ("US",)) == []
    assert [one.what for one in find_personal("911234567", ("ES",))] == ["phone"]
