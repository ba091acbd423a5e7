"""What is known of TensorFlow without loading it."""

from __future__ import annotations

# Seeds are counted up in it: it has no arithmetic on unsigned words.
SEED_DTYPE = "int32"
# A seed's state is made when it is first asked for.
SEEDS_AT_ONCE = False
