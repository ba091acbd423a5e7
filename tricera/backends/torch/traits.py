"""What is known of torch without loading it."""

from __future__ import annotations

# Seeds are counted up in it: it has no arithmetic on unsigned words.
SEED_DTYPE = "int32"
