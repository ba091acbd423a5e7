"""What is known of torch without loading it."""

from __future__ import annotations

# Seeds are counted up in it: it has no arithmetic on unsigned words.
SEED_DTYPE = "int32"
# A seed's state is made with it: torch.compile can't make a parameter while it traces.
SEEDS_AT_ONCE = True
