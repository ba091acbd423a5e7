"""Tricera: the Keras 3 API over JAX, PyTorch, TensorFlow and NumPy, side by side in one process.

`import tricera as keras` is all that a Keras user changes. Modules are loaded on first touch and no framework is imported
before it is used; editors and type checkers see the real names below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tricera.core.lazy import load

if TYPE_CHECKING:
    from tricera import (
        activations as activations,
        backend as backend,
        callbacks as callbacks,
        compat as compat,
        config as config,
        constraints as constraints,
        datasets as datasets,
        dtype_policies as dtype_policies,
        initializers as initializers,
        layers as layers,
        losses as losses,
        metrics as metrics,
        mixed_precision as mixed_precision,
        models as models,
        ops as ops,
        optimizers as optimizers,
        preprocessing as preprocessing,
        random as random,
        regularizers as regularizers,
        saving as saving,
        training as training,
        tree as tree,
        utils as utils,
    )
    from tricera.autodiff import (
        grad as grad,
        hessian as hessian,
        jacobian as jacobian,
        jvp as jvp,
        value_and_grad as value_and_grad,
        vjp as vjp,
        vmap as vmap,
    )
    from tricera.compat import install_as_keras as install_as_keras
    from tricera.core.device import device as device
    from tricera.core.graph import Operation as Operation
    from tricera.core.remat import RematScope as RematScope, remat as remat
    from tricera.core.state import StatelessScope as StatelessScope, functionalize as functionalize
    from tricera.core.tensor import KerasTensor as KerasTensor, SymbolicScope as SymbolicScope
    from tricera.core.variable import Variable as Variable, name_scope as name_scope
    from tricera.dtype_policies import DTypePolicy as DTypePolicy, FloatDTypePolicy as FloatDTypePolicy
    from tricera.initializers import Initializer as Initializer
    from tricera.layers import Input as Input, InputSpec as InputSpec, Layer as Layer
    from tricera.losses import Loss as Loss
    from tricera.metrics import Metric as Metric
    from tricera.models import Model as Model, Sequential as Sequential
    from tricera.models.function import Function as Function
    from tricera.optimizers import Optimizer as Optimizer
    from tricera.regularizers import Regularizer as Regularizer

__version__ = "0.1.0"

_MODULES = frozenset(
    (
        "activations",
        "backend",
        "callbacks",
        "compat",
        "config",
        "constraints",
        "datasets",
        "dtype_policies",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "mixed_precision",
        "models",
        "ops",
        "optimizers",
        "preprocessing",
        "random",
        "regularizers",
        "saving",
        "training",
        "tree",
        "utils",
    )
)
# name -> the module that holds it
_NAMES = {
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Function": "models.function",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "core.tensor",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Operation": "core.graph",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "RematScope": "core.remat",
    "Sequential": "models",
    "StatelessScope": "core.state",
    "SymbolicScope": "core.tensor",
    "Variable": "core.variable",
    "device": "core.device",
    "functionalize": "core.state",
    "grad": "autodiff",
    "hessian": "autodiff",
    "install_as_keras": "compat",
    "jacobian": "autodiff",
    "jvp": "autodiff",
    "name_scope": "core.variable",
    "remat": "core.remat",
    "value_and_grad": "autodiff",
    "vjp": "autodiff",
    "vmap": "autodiff",
}


def version() -> str:
    """The version of Tricera.

    Example:
        >>> version().count(".")
        2
    """
    return __version__


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return load(name)
    if name in _NAMES:
        value = load(_NAMES[name], name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tricera' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = ["__version__", "version", *sorted(_MODULES), *sorted(_NAMES)]  # noqa: PLE0604
