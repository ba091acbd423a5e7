"""Recurrence over the steps of a sequence: the loop that all recurrent layers share, and the cells that frameworks have kernels for.

What depends on the inputs alone is one matrix product over all steps, made before the loop; only the product with the state
is left inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tricera.core.op import composed
from tricera.core.tensor import Spec, Tensor, TensorLike
from tricera.ops.control import scan
from tricera.ops.elementwise import add, multiply, subtract
from tricera.ops.linear import matmul
from tricera.ops.select import where
from tricera.ops.shape import reshape, split, stack, swapaxes, unstack
from tricera.ops.unary import sigmoid, tanh


def over_time(
    step: Callable[[Any, list[Any]], list[Any]],
    xs: Any,
    states: Sequence[Any],
    mask: Any = None,
    sequences: bool = False,
    unroll: bool = False,
) -> tuple[Any, ...]:
    """Carry states along the first axis; where the mask is False a sample's states stay as they are.

    Args:
        step: (slice of `xs`, states) -> new states, the first of which is the output.
        xs: a tensor (time, batch, ...).
        states: tensors (batch, ...).
        mask: a bool tensor (time, batch), or None.
        sequences: whether the first state after every step is wanted, or only the last.
        unroll: write the steps out one after the other, which needs a known number of them.

    Returns:
        The first state after each step (batch, time, ...), or after the last one; then the last states.

    Example:
        >>> from tricera import ops
        >>> output, last = over_time(lambda x, states: [states[0] + x], ops.ones((3, 1, 1)), [ops.zeros((1, 1))])
        >>> float(output[0, 0])
        3.0
    """

    def advance(held: Any, x: Any) -> tuple[Any, Any]:
        new = step(x[0], list(held))
        if mask is not None:
            new = [
                where(reshape(x[1], (-1,) + (1,) * (len(n.shape) - 1)), n, h) for n, h in zip(new, held, strict=True)
            ]
        return tuple(new), new[0] if sequences else None

    carry = tuple(states)
    inputs = (xs,) if mask is None else (xs, mask)
    if unroll:
        found = []
        for x in zip(*(unstack(x, axis=0) for x in inputs), strict=True):
            carry, y = advance(carry, x)
            found.append(y)
        outputs = stack(found, axis=1) if sequences else carry[0]
    else:
        carry, found = scan(advance, carry, inputs)
        outputs = swapaxes(found, 0, 1) if sequences else carry[0]
    return (outputs, *carry)


def lstm_step(gates: Any, c: Any, activation: Any = tanh, gate_activation: Any = sigmoid, axis: int = -1) -> list[Any]:
    """The states [h, c] from the sums that enter the gates i, f, g, o: c' = f c + i g, h' = o act(c').

    Args:
        gates: a float tensor (batch, 4 units), or with the gates along another axis.
        c: the cell state (batch, units).
        activation: a function of g and of c'.
        gate_activation: a function of i, f and o.
        axis: the axis of the gates.

    Returns:
        The list [h', c'] of tensors of the shape of `c`.

    Example:
        >>> from tricera import ops
        >>> h, c = lstm_step(ops.zeros((1, 4)), ops.ones((1, 1)))
        >>> float(c[0, 0])
        0.5
    """
    i, f, g, o = split(gates, 4, axis=axis)
    c = add(multiply(gate_activation(f), c), multiply(gate_activation(i), activation(g)))
    return [multiply(gate_activation(o), activation(c)), c]


def gru_step(
    projected: Any, recurrent: Any, h: Any, activation: Any = tanh, gate_activation: Any = sigmoid
) -> list[Any]:
    """The state [h'] of a GRU that resets after the product: n = act(p_n + r u_n), h' = z h + (1 - z) n.

    Args:
        projected: (p_z, p_r, p_n), what comes of the inputs, a float tensor (batch, 3 units).
        recurrent: (u_z, u_r, u_n), what comes of the state, a tensor of the same shape.
        h: the state (batch, units).
        activation: a function of the sum that enters n.
        gate_activation: a function of the sums that enter z and r.

    Returns:
        The list [h'] of a tensor of the shape of `h`.

    Example:
        >>> from tricera import ops
        >>> (h,) = gru_step(ops.zeros((1, 3)), ops.zeros((1, 3)), ops.ones((1, 1)))
        >>> float(h[0, 0])
        0.5
    """
    pz, pr, pn = split(projected, 3, axis=-1)
    uz, ur, un = split(recurrent, 3, axis=-1)
    z, r = gate_activation(add(pz, uz)), gate_activation(add(pr, ur))
    n = activation(add(pn, multiply(r, un)))
    return [add(n, multiply(z, subtract(h, n)))]


def _projected(inputs: Any, kernel: Any, bias: Any) -> Any:
    """All steps at once, time first."""
    x = matmul(swapaxes(inputs, 0, 1), kernel)
    return x if bias is None else add(x, bias)


def _time_first(mask: Any) -> Any:
    return None if mask is None else swapaxes(mask, 0, 1)


def _outputs(states: int) -> Callable[..., Any]:
    """The shape rule of a recurrence: its output, and so many states (batch, units)."""

    def rule(inputs: Spec, kernel: Spec, recurrent: Spec, bias: Any, *rest: Any) -> Any:
        sequences = next(x for x in rest if isinstance(x, bool))
        batch, time, _ = inputs.shape
        state = Spec((batch, recurrent.shape[0]), inputs.dtype)
        output = Spec((batch, time, recurrent.shape[0]), inputs.dtype) if sequences else state
        return (output, *(state,) * states)

    return rule


@composed(promote=None, spec=_outputs(2))
def lstm(
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None,
    h: TensorLike,
    c: TensorLike,
    mask: TensorLike | None = None,
    sequences: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, ...]:
    """Long short-term memory over a sequence (Hochreiter & Schmidhuber 1997), with tanh and sigmoid.

    (i, f, g, o) = x W + h U + b, c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c').

    Args:
        inputs: a float tensor (batch, time, features).
        kernel: W, a tensor (features, 4 units).
        recurrent_kernel: U, a tensor (units, 4 units).
        bias: b, a tensor (4 units,), or None.
        h: the first state (batch, units).
        c: the first cell state (batch, units).
        mask: a bool tensor (batch, time); a sample's states stay as they are where it is False.
        sequences: whether h after each step is wanted, or only the last.
        unroll: write the steps out instead of looping.

    Returns:
        h after each step (batch, time, units) or the last one; the last h; the last c.

    Example:
        >>> from tricera import ops
        >>> x, w, u, h = ops.ones((1, 5, 3)), ops.ones((3, 8)), ops.ones((2, 8)), ops.zeros((1, 2))
        >>> [tuple(y.shape) for y in lstm(x, w, u, None, h, h)]
        [(1, 2), (1, 2), (1, 2)]
    """

    def step(p: Any, states: list[Any]) -> list[Any]:
        return lstm_step(add(p, matmul(states[0], recurrent_kernel)), states[1])

    return over_time(step, _projected(inputs, kernel, bias), (h, c), _time_first(mask), sequences, unroll)


@composed(promote=None, spec=_outputs(1))
def gru(
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None,
    h: TensorLike,
    mask: TensorLike | None = None,
    sequences: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, ...]:
    """Gated recurrent unit over a sequence (Cho et al. 2014) that resets after the product, with tanh and sigmoid.

    (z, r, n) of x W + b_0 and of h U + b_1: z = sigmoid(z_0 + z_1), r = sigmoid(r_0 + r_1),
    n = tanh(n_0 + r n_1), h' = z h + (1 - z) n.

    Args:
        inputs: a float tensor (batch, time, features).
        kernel: W, a tensor (features, 3 units).
        recurrent_kernel: U, a tensor (units, 3 units).
        bias: (b_0, b_1), a tensor (2, 3 units), or None.
        h: the first state (batch, units).
        mask: a bool tensor (batch, time); a sample's state stays as it is where it is False.
        sequences: whether h after each step is wanted, or only the last.
        unroll: write the steps out instead of looping.

    Returns:
        h after each step (batch, time, units) or the last one; the last h.

    Example:
        >>> from tricera import ops
        >>> x, w, u, h = ops.ones((1, 5, 3)), ops.ones((3, 6)), ops.ones((2, 6)), ops.zeros((1, 2))
        >>> [tuple(y.shape) for y in gru(x, w, u, None, h, sequences=True)]
        [(1, 5, 2), (1, 2)]
    """
    inner, outer = (None, None) if bias is None else unstack(bias, axis=0)

    def step(p: Any, states: list[Any]) -> list[Any]:
        u = matmul(states[0], recurrent_kernel)
        return gru_step(p, u if outer is None else add(u, outer), states[0])

    return over_time(step, _projected(inputs, kernel, inner), (h,), _time_first(mask), sequences, unroll)


@composed(promote=None, spec=_outputs(1))
def simple_rnn(
    inputs: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None,
    h: TensorLike,
    mask: TensorLike | None = None,
    sequences: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, ...]:
    """h' = tanh(x W + h U + b) over a sequence (Elman 1990).

    Args:
        inputs: a float tensor (batch, time, features).
        kernel: W, a tensor (features, units).
        recurrent_kernel: U, a tensor (units, units).
        bias: b, a tensor (units,), or None.
        h: the first state (batch, units).
        mask: a bool tensor (batch, time); a sample's state stays as it is where it is False.
        sequences: whether h after each step is wanted, or only the last.
        unroll: write the steps out instead of looping.

    Returns:
        h after each step (batch, time, units) or the last one; the last h.

    Example:
        >>> from tricera import ops
        >>> x, w, u, h = ops.ones((1, 5, 3)), ops.ones((3, 2)), ops.ones((2, 2)), ops.zeros((1, 2))
        >>> [tuple(y.shape) for y in simple_rnn(x, w, u, None, h, sequences=True)]
        [(1, 5, 2), (1, 2)]
    """

    def step(p: Any, states: list[Any]) -> list[Any]:
        return [tanh(add(p, matmul(states[0], recurrent_kernel)))]

    return over_time(step, _projected(inputs, kernel, bias), (h,), _time_first(mask), sequences, unroll)
