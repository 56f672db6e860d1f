"""Tools without a domain word: time, identifiers, signing, counting, encryption, a guarded HTTP client."""
