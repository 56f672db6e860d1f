"""Personal data, on the synthetic documents of presidio-research: the recall that is promised, and how little else is found."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from careline.triage.personal import find_personal

DOCUMENTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "pii_presidio_synth" / "train.json"
KINDS = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "US_SSN": "ssn",
    "IP_ADDRESS": "ip",
}
RECALL = {"card": 0.95, "iban": 0.95, "email": 0.98, "ssn": 0.95, "ip": 0.95, "phone": 0.9}


def test_recall_and_precision_hold_on_the_synthetic_set() -> None:
    if not DOCUMENTS.exists():
        pytest.skip("the synthetic documents are absent: ../shared/data/pii_presidio_synth/train.json")
    hit, wanted, surplus = Counter[str](), Counter[str](), Counter[str]()
    for document in json.loads(DOCUMENTS.read_text()):
        gold = [
            (one["start_position"], one["end_position"], KINDS.get(one["entity_type"])) for one in document["spans"]
        ]
        found = find_personal(document["full_text"])
        for start, end, what in gold:
            if what:
                wanted[what] += 1
                hit[what] += any(span.start < end and start < span.end and span.what == what for span in found)
        for span in found:
            surplus[span.what] += all(not (span.start < end and start < span.end) for start, end, what in gold if what)
    assert all(hit[what] >= least * wanted[what] for what, least in RECALL.items())
    assert surplus.total() <= 3
