"""Personal data in a text: where it stands (`find_personal`) and the text without it (`mask`). No database; names and streets are not looked for."""

from careline.triage.personal.finding import DEFAULT_REGIONS, find_personal
from careline.triage.personal.masking import KINDS, mask

__all__ = ["DEFAULT_REGIONS", "KINDS", "find_personal", "mask"]
