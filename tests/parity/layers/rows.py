"""All layers: the rows of `mechanism.py`, and what is excused."""

from __future__ import annotations

from typing import Any

from tests.parity.layers import convolutions, mechanism, options, others, recurrent
from tests.parity.layers.mechanism import Row

ROWS: list[Row] = [*convolutions.ROWS, *others.ROWS, *recurrent.ROWS, *options.ROWS]
TABLE = mechanism.cases(ROWS)

# What is no layer that could be called alike in both, and why.
WITHOUT: dict[str, str] = {
    "Layer": "the base class", "Wrapper": "a base class without `call`", "InputLayer": "isn't called", "InputSpec": "no layer",
    "Lambda": "its config holds Python byte code; tests/layers", "MaxNumBoundingBoxes": "only takes dicts of boxes; preprocessing_run",
    "FlaxLayer": "wraps JAX code, tests/layers", "JaxLayer": "wraps JAX code, tests/layers",
    "TorchModuleWrapper": "wraps torch code, tests/layers", "TFSMLayer": "reads a SavedModel",
    "IntegerLookup": "its state is a vocabulary", "StringLookup": "its state is a vocabulary",
    "TextVectorization": "its state is a vocabulary",
}  # fmt: skip

# `case:result` patterns where Keras and ours differ on purpose, and why.
_TORCH = "Keras on torch; on JAX and TensorFlow it is as here"
EXCUSED: dict[str, str] = {
    "SeparableConv1D-9:raises": "Keras has no causal padding here", "DepthwiseConv1D-8:raises": "Keras has no causal padding here",
    "GlobalAveragePooling1D-0-masked:out/0": "Keras's mean of no steps is NaN, ours 0",
    "AveragePooling[23]D-[23]:*": f"counts the padding: {_TORCH}", "AveragePooling3D-0-*16:raises": f"has no kernel: {_TORCH}",
    "UpSampling2D-[67]:*": f"another cubic: {_TORCH}", "UpSampling2D-[89]:raises": _TORCH, "UpSampling2D-1[01]:raises": _TORCH,
    "ReversibleEmbedding-2-*16:open*": "Keras's symbolic dtype is another than the real one",
    "*Cell*-mixed_bfloat16:open*": "Keras's symbolic dtype is another than the real one",
    "BatchNormalization-*-masked:raises": "Keras wants a mask of all axes but the last", 
    "LayerNormalization-2:raises": f"another axis than the last: {_TORCH}", "RMSNormalization-2:raises": "another axis than the last: fails",
    "GroupNormalization-4:open*": "Keras adds an axis to the shape of a table",
    "SpatialDropout*-mixed_bfloat16:*": "Keras's config forgets the policy",
    "MultiHeadAttention-*:masks": "Keras's scores carry the mask of their softmax",
    "GroupQueryAttention-*:masks": "Keras's scores carry the mask of their softmax",
    "MultiHeadAttention-*:open batch": "Keras's symbolic scores have another shape than the real ones",
    "ContrastLimitedAdaptiveHistogramEqualization-*:out/0": _TORCH, "RandomCrop-*16:dtypes": "Keras's symbolic dtype is ours",
    "CategoryEncoding-*:dtypes": "Keras's symbolic dtype is ours", "RandomShear-*:raises": "Keras cannot read its config",
    "Normalization-1:*": "axis None is () in Keras's config, which is read here, too",
    "STFTSpectrogram-0-mixed_bfloat16:raises": "Keras has no FFT of bfloat16",
    "RandomColorJitter-1:seeds": "Keras has a stream for each operation", "AutoContrast-1:out/0": "Keras looks for the channels last",
    "Dense-6:*": "Keras forgets lora_alpha", "Embedding-4:*": "Keras forgets lora_alpha",
    "RandAugment-*:seeds": "Keras has a stream for each operation", "AugMix-*:seeds": "Keras has a stream for each operation",
    "TimeDistributed-15*:loss/*": "Keras forgets the inner activity regularizer", "TimeDistributed-15*:slope/*": "as its losses",
    "SimpleRNN-6:*": "Keras forgets the activity regularizer",
    "*Attention-*-mixed_bfloat16:slope/[56]": "the bias of the keys has no gradient: rounding",
    "Bidirectional-13:open*": "Keras's symbolic shape is another than the real one",
    "Concatenate-[23]-masked:raises": "Keras wants masks of all axes but the last",
}  # fmt: skip


def _on_torch(k: Any, layer: Any, run: Any, given: list[Any], gradients: bool) -> tuple[Any, ...]:
    """Keras on torch, whose eager calls cost least."""
    import torch

    inputs = mechanism._map(lambda v: torch.tensor(v, requires_grad=gradients and v.dtype.kind == "f"), given)
    outputs, seen = run(*inputs)
    losses = list(layer.losses)
    if gradients:
        mechanism.total(k, outputs, losses).backward()
    moved = [x for x in mechanism.leaves(inputs) if x.requires_grad]
    moved += [w.value for w in layer.trainable_weights] if gradients else []
    slopes = [torch.zeros_like(x) if x.grad is None else x.grad for x in moved]
    return outputs, seen, losses, slopes, [w.value for w in layer.weights]


CASES = {name: (lambda k, case=case: case(k, _on_torch)) for name, case in TABLE.items()}
