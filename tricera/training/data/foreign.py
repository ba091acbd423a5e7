"""Recognising the objects of other libraries without importing them.

A class says where it comes from: the modules of the classes in its `__mro__`. A library that the process has not loaded
cannot have made the object, so nothing has to be imported to look. Answers are kept by type.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

Kind = Literal[
    "tf_dataset", "tf_distributed", "torch_loader", "torch_dataset", "torch", "jax", "tensorflow", "tf_ragged", "frame",
    "series", "sparse",
]  # fmt: skip

_TF_KINDS: dict[str, Kind] = {
    "DatasetV2": "tf_dataset",
    "DistributedDatasetInterface": "tf_distributed",
    "RaggedTensor": "tf_ragged",
    "SparseTensor": "sparse",
    "IndexedSlices": "sparse",
    "Tensor": "tensorflow",
    "Variable": "tensorflow",
}
_PANDAS_KINDS: dict[str, Kind] = {"DataFrame": "frame", "Series": "series", "Index": "series"}


def kind(x: Any) -> Kind | None:
    """What `x` is in its own library, or None for anything else (NumPy arrays and Python objects included).

    Example:
        >>> kind([1.0]) is None
        True
    """
    return _kind_of_type(type(x))  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def _kind_of_type(cls: type) -> Kind | None:
    for base in cls.__mro__:
        found = _kind_of_base(base.__module__, base.__name__)
        if found is not None:
            return found
    return None


def _kind_of_base(module: str, name: str) -> Kind | None:
    root = module.partition(".")[0]
    if root == "tensorflow":
        return _TF_KINDS.get(name)
    if root == "pandas":
        return _PANDAS_KINDS.get(name)
    if root == "torch":
        if module.startswith("torch.utils.data"):
            return {"DataLoader": "torch_loader", "Dataset": "torch_dataset"}.get(name)  # type: ignore[return-value]
        return "torch" if name == "Tensor" else None
    if root in ("jax", "jaxlib"):
        return "jax" if name in ("ArrayImpl", "Array") else "sparse" if name == "JAXSparse" else None
    return "sparse" if module.startswith("scipy.sparse") else None
