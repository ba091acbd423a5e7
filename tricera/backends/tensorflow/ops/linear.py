"""Products: TensorFlow's matmul needs two axes and equal ranks unless batched."""

from __future__ import annotations

import tensorflow as _tf

from tricera.core.dtypes import FLOAT8 as _FLOAT8


def _supported(x):
    if x.dtype in (_tf.int8, _tf.int16, _tf.uint8, _tf.uint16, _tf.bool):
        return _tf.cast(x, _tf.int32)
    if x.dtype.name in _FLOAT8:
        return _tf.cast(x, _tf.float32)
    return _tf.cast(x, _tf.int64) if x.dtype == _tf.uint32 else x


def matmul(x1, x2):
    if isinstance(x1, _tf.RaggedTensor) and x1.flat_values.shape.rank == 2 and x2.shape.rank == 2:
        return x1.with_flat_values(matmul(x1.flat_values, x2))
    kind = x1.dtype
    if kind.is_floating and x1.ndim == 2 == x2.ndim:
        return _tf.raw_ops.MatMul(a=x1, b=x2)
    a, b = _supported(x1), _supported(x2)
    vector1, vector2 = len(a.shape) == 1, len(b.shape) == 1
    a = a[None, :] if vector1 else a
    b = b[:, None] if vector2 else b
    if len(a.shape) > 2 and len(b.shape) == 2:
        out = _tf.tensordot(a, b, 1)
    else:
        out = _tf.matmul(a, b)
    if vector2:
        out = out[..., 0]
    if vector1:
        out = out[..., 0] if vector2 else out[..., 0, :]
    return out if kind in (_tf.int8, out.dtype) else _tf.cast(out, kind)


def contract(subscripts, operands):
    kind = operands[0].dtype
    if "->" not in subscripts and "..." in subscripts:  # which TensorFlow reads only where the result is named
        letters = subscripts.replace("...", "")
        once = sorted(c for c in set(letters) if c.isalpha() and letters.count(c) == 1)
        subscripts = f"{subscripts}->...{''.join(once)}"
    out = _tf.einsum(subscripts, *map(_supported, operands))
    return out if kind in (_tf.int8, out.dtype) else _tf.cast(out, kind)
