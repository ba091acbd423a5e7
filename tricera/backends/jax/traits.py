"""What is known of JAX without loading it."""

from __future__ import annotations

# Seeds are counted up in it: an unsigned word, which its generator takes.
SEED_DTYPE = "uint32"
# A seed's state is made when it is first asked for.
SEEDS_AT_ONCE = False
