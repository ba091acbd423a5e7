"""Low-rank adaptation (LoRA): a frozen weight W is used as W + alpha / rank * A B, and only A and B are trained.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models" (https://arxiv.org/abs/2106.09685). The mechanism stands here
once; a layer that has it names the weight (`kernel = adapted("kernel")`), keeps the variable behind it (`self._kernel`), and ends its
`build` with `self.build_low_rank()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tricera import ops
from tricera.core import dtypes
from tricera.core.checks import positive
from tricera.core.variable import Variable, autocast, name_scopes
from tricera.layers.layer import Layer


def adapted(name: str) -> Any:
    """A property: the weight of that name as the layer computes with it, the variable itself without LoRA.

    Args:
        name: the weight's name; the variable is the layer's attribute with an underscore before it.

    Raises:
        AttributeError: (the property) the layer isn't built.
    """

    def get(self: Any) -> Any:
        if f"_{name}" not in self.__dict__:
            raise AttributeError(f"The layer {self.name!r} has no `{name}` before it is built: call it, or `build` it.")
        return self.adapted_weight()

    return property(
        get, doc=f"The `{name}` with which the layer computes: with LoRA, the sum of the frozen one and the difference."
    )


class LowRank(Layer):
    """A mixin of layers whose largest weight can be adapted.

    Args:
        *args: those of the layer.
        lora_rank: the rank of the trained difference; None for none.
        lora_alpha: the difference is scaled by `lora_alpha / lora_rank`; `lora_rank` for None.
        **kwargs: those of the layer.

    Attributes:
        adaptable: the name of the weight, `"kernel"` or `"embeddings"`.
        stored: the names of the variables that a file holds, in order.
        lora_enabled: whether it is adapted.

    Raises:
        ValueError: the rank isn't a positive integer, or the scale isn't a number.
    """

    adaptable: ClassVar[str] = "kernel"
    stored: ClassVar[tuple[str, ...]] = ("kernel", "bias")

    def __init__(
        self, *args: Any, lora_rank: int | None = None, lora_alpha: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lora_enabled = False
        self._set_low_rank(lora_rank, lora_alpha, "lora_rank")

    def _set_low_rank(self, rank: Any, alpha: Any, name: str) -> None:
        self.lora_rank = None if rank is None else positive(name, rank)
        if alpha is not None and (isinstance(alpha, bool) or not np.isreal(alpha) or not np.isfinite(alpha)):
            raise ValueError(f"`lora_alpha` must be a finite number, not {alpha!r}.")
        self.lora_alpha = rank if alpha is None else alpha

    @property
    def _adapted_variable(self) -> Variable:
        return self.__dict__[f"_{self.adaptable}"]

    @property
    def _factors(self) -> tuple[Variable, Variable]:
        return self.__dict__[f"lora_{self.adaptable}_a"], self.__dict__[f"lora_{self.adaptable}_b"]

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the weight W and train a difference of low rank to it: W + lora_alpha / rank * A B.

        A has the shape of W with `rank` for the last axis, B the shape (rank, last axis of W). A model that was compiled before must
        be compiled again, as its optimizer knows the old variables. Files hold W with the difference added.

        Args:
            rank: the inner dimension of the product.
            lora_alpha: scales the difference by `lora_alpha / rank`; `rank` for None.
            a_initializer: of A.
            b_initializer: of B; zeros, so that the layer begins as it was.

        Raises:
            ValueError: the layer isn't built, adapted already, or its weight has a constraint; or an argument is out of range.

        Example:
            >>> from tricera.layers import Dense
            >>> layer = Dense(3)
            >>> layer.build((None, 4))
            >>> layer.enable_lora(2)
            >>> [v.name for v in layer.trainable_variables]
            ['bias', 'lora_kernel_a', 'lora_kernel_b']
        """
        if not self.built:
            raise ValueError(f"The layer {self.name!r} isn't built: call it, or `build` it, before `enable_lora`.")
        if self.lora_enabled:
            raise ValueError(f"The layer {self.name!r} has LoRA of rank {self.lora_rank} already; it can be had once.")
        self._check_unconstrained()
        before = self.lora_rank, self.lora_alpha
        locked, self._locked = self._locked, False
        try:
            self._set_low_rank(rank, lora_alpha, "rank")
            self._add_factors(a_initializer, b_initializer)
        except Exception:
            self.lora_rank, self.lora_alpha = before
            raise
        finally:
            self._locked = locked

    def build_low_rank(self) -> None:
        """The last thing in `build`: adapt the weight, if the constructor was told to."""
        if self.lora_rank is not None:
            self._check_unconstrained()
            self._add_factors("he_uniform", "zeros")

    def _check_unconstrained(self) -> None:
        if getattr(self, f"{self.adaptable}_constraint") is not None:
            raise ValueError(
                f"LoRA leaves the `{self.adaptable}` of the layer {self.name!r} as it is, so a constraint of it has no meaning; "
                f"leave out `{self.adaptable}_constraint`."
            )

    def _add_factors(self, a_initializer: Any, b_initializer: Any) -> None:
        from tricera import initializers

        weight, rank = self._adapted_variable, self.lora_rank
        shapes = {"a": (*weight.shape[:-1], rank), "b": (rank, weight.shape[-1])}
        made = {"a": initializers.get(a_initializer), "b": initializers.get(b_initializer)}
        token = name_scopes.set(tuple(self.path.split("/")))
        try:
            factors = {
                key: self.add_weight(
                    name=f"lora_{self.adaptable}_{key}", shape=shapes[key], initializer=made[key],
                    regularizer=getattr(self, f"{self.adaptable}_regularizer"), dtype="float32",
                )
                for key in ("a", "b")
            }  # fmt: skip
        finally:
            name_scopes.reset(token)
        for variable in factors.values():
            setattr(self, variable.name, variable)
        weight.trainable = False
        self.lora_enabled = True

    # ------------------------------------------------------------------ computing

    def adapted_weight(self) -> Any:
        """W + alpha / rank * A B in the compute dtype; the variable W without LoRA."""
        weight = self._adapted_variable
        if not self.lora_enabled:
            return weight
        a, b = self._factors
        change = ops.multiply(ops.matmul(a, b), self._scale)
        return ops.cast(ops.add(weight, change), self.compute_dtype)

    def adapted_product(
        self, inputs: Any, product: Callable[[Any, Any], Any] = ops.matmul, mix: Callable[[Any, Any], Any] = ops.matmul
    ) -> Any:
        """x W + alpha / rank * (x A) B: the product with the adapted weight, without making A B or, in the backward pass, a gradient of W.

        Args:
            inputs: x.
            product: of x and a weight such as W, linear in the weight, of whose last axis each element has its own outputs.
            mix: of what that gives for A, and B.

        Returns:
            The product.
        """
        a, b = self._factors
        out = product(inputs, self._adapted_variable)
        change = ops.multiply(mix(product(inputs, a), b), self._scale)
        return ops.add(out, ops.cast(change, ops.dtype(out)))

    def adapted_rows(self, indices: Any) -> Any:
        """Rows of W + alpha / rank * A B, for which the whole product isn't needed.

        Args:
            indices: integers of any shape.

        Returns:
            The rows, (*indices, length of a row), not yet in the compute dtype where there is no LoRA.
        """
        with autocast(None):  # rows are cast, not the whole table
            rows = ops.take(self._adapted_variable, indices, axis=0)
            if not self.lora_enabled:
                return rows
            a, b = self._factors
            left, right = ops.take(a, indices, axis=0), ops.convert_to_tensor(b)
        half = self._dtype_of_reading()
        if half is not None:
            rows, left, right = (ops.cast(x, half) for x in (rows, left, right))
        return ops.add(rows, ops.multiply(ops.matmul(left, right), self._scale))

    @property
    def _scale(self) -> float:
        return self.lora_alpha / self.lora_rank  # type: ignore[operator]

    # ------------------------------------------------------------------ config and files

    @property
    def variable_serialization_spec(self) -> dict[str | None, list[str]]:
        """Which variables a file holds and in which order, by quantization mode; None is the layer as it is."""
        return {None: list(self.stored)}

    def low_rank_config(self) -> dict[str, Any]:
        """What `get_config` says of LoRA: nothing without it."""
        return {} if self.lora_rank is None else {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}

    @property
    def _stored_variables(self) -> list[Variable]:
        """Files hold the sum, so that layers with and without LoRA read each other's."""
        own = super()._stored_variables
        return [v for v in own if not any(v is f for f in self._factors)] if self.lora_enabled else own

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the variables into a store, by number, the weight with the difference added."""
        super().save_own_variables(store)
        if self.lora_enabled:
            weight = self._adapted_variable
            place = next(i for i, v in enumerate(self._stored_variables) if v is weight)
            a, b = (v.numpy() for v in self._factors)
            total = weight.numpy().astype("float32") + np.matmul(a, b) * np.float32(self._scale)
            store[str(place)] = total.astype(dtypes.numpy_dtype(weight._dtype))

    def load_own_variables(self, store: Any) -> None:
        """Assign the variables from a store; the difference becomes zero (B alone, or A and B would never train again)."""
        super().load_own_variables(store)
        if self.lora_enabled:
            b = self._factors[1]
            b.assign(np.zeros(b.shape, "float32"))

    load_own_variables.by_number = True  # type: ignore[attr-defined]
