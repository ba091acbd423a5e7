"""Products: `jax.numpy`'s own."""

from __future__ import annotations

import jax.numpy as _jnp


def matmul(x1, x2):
    return _jnp.matmul(x1, x2, preferred_element_type="int32") if x1.dtype == "int8" else _jnp.matmul(x1, x2)


def contract(subscripts, operands):
    if operands[0].dtype == "int8":
        return _jnp.einsum(subscripts, *operands, preferred_element_type="int32")
    return _jnp.einsum(subscripts, *operands)
