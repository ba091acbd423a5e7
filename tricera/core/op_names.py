"""How a file names the ops of a functional model: Keras's op classes, their modules and what their configs hold.

Tricera's ops are functions, but Keras's file format names a class for each (`"module": "keras.src.ops.nn"`,
`"class_name": "Relu"`), keeps some of the arguments in the class's config and the others in the node's `args`. The table
below lists each class and the arguments in its config; all the others stand in `args`, in the function's order. The name
of the function is the class's name in snake_case, but for `_UNUSUAL`. On reading, the module is not looked at.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tricera.core.graph import Operation
from tricera.core.inference import PUBLIC, OpCall
from tricera.core.naming import to_snake_case
from tricera.core.tree import map_structure

_TABLE = {
    "core": """
        AssociativeScan(reverse,axis) Cast(dtype) Cond ConvertToTensor(dtype,sparse,ragged)
        ForiLoop(lower,upper,body_fun) Map SaturateCast(dtype) Scan(length,reverse,unroll) Scatter(shape)
        ScatterUpdate(reduction) Slice(shape) SliceUpdate StopGradient Switch Unstack(num,axis)
        VectorizedMap(function) WhileLoop(cond,body,maximum_iterations)
    """,
    "image": """
        AffineTransform(interpolation,fill_mode,fill_value,data_format)
        CropImages(top_cropping,left_cropping,bottom_cropping,right_cropping,target_height,target_width,data_format)
        ElasticTransform(alpha,sigma,interpolation,fill_mode,fill_value,seed,data_format)
        ExtractPatches(size,strides,dilation_rate,padding,data_format) GaussianBlur(kernel_size,sigma,data_format)
        HSVToRGB(data_format) MapCoordinates(order,fill_mode,fill_value)
        PadImages(top_padding,left_padding,bottom_padding,right_padding,target_height,target_width,data_format)
        PerspectiveTransform(interpolation,fill_value,data_format) RGBToGrayscale(data_format) RGBToHSV(data_format)
        Resize(size,interpolation,antialias,crop_to_aspect_ratio,pad_to_aspect_ratio,fill_mode,fill_value,data_format)
        SSIM(max_val,filter_size,filter_sigma,k1,k2,data_format) ScaleAndTranslate(spatial_dims,method,antialias)
        SobelEdges(data_format)
    """,
    "linalg": """
        Cholesky(upper) CholeskyInverse(upper) Det Eig Eigh Inv JVP(has_aux) Lstsq(rcond) LuFactor MatrixRank(tol)
        Norm(ord,axis,keepdims) Pinv(rcond) Qr(mode) SVD(full_matrices,compute_uv) Solve SolveTriangular(lower)
    """,
    "math": """
        CDist Erf Erfc Erfinv ExtractSequences(sequence_length,sequence_stride) FFT FFT2 IFFT2 IRFFT(fft_length)
        ISTFT(sequence_length,sequence_stride,fft_length,length,window,center) InTopK(k) Logdet
        Logsumexp(axis,keepdims) RFFT(fft_length) Rsqrt STFT(sequence_length,sequence_stride,fft_length,window,center)
        SegmentMax(num_segments,sorted) SegmentMin(num_segments,sorted) SegmentProd(num_segments,sorted)
        SegmentSum(num_segments,sorted) TopK(k,sorted) ViewAsComplex ViewAsReal
    """,
    "nn": """
        AdaptiveAveragePool(output_size,data_format) AdaptiveMaxPool(output_size,data_format)
        AveragePool(pool_size,strides,padding,data_format) BatchNorm(axis,epsilon) BinaryCrossentropy(from_logits)
        CTCDecode(strategy,beam_width,top_paths,merge_repeated,mask_index) CTCLoss(mask_index)
        CategoricalCrossentropy(from_logits,axis) Celu(alpha) Conv(strides,padding,data_format,dilation_rate)
        ConvTranspose(strides,padding,output_padding,data_format,dilation_rate) DepthToSpace(block_size,data_format)
        DepthwiseConv(strides,padding,data_format,dilation_rate)
        DotProductAttention(is_causal,flash_attention,attn_logits_soft_cap) Elu(alpha)
        Fold(output_size,kernel_size,dilation,padding,stride) Gelu(approximate) Glu(axis) HardShrink(threshold)
        HardSigmoid HardSilu HardTanh LayerNorm(axis,epsilon) LeakyRelu(negative_slope) LogSigmoid LogSoftmax(axis)
        MaxPool(pool_size,strides,padding,data_format) Moments(axes,keepdims,synchronized)
        MultiHot(num_classes,axis,dtype,sparse) Normalize(axis,order,epsilon) OneHot(num_classes,axis,dtype,sparse)
        PSNR(max_val) Polar RMSNorm(axis,epsilon) Relu Relu6 Selu
        SeparableConv(strides,padding,data_format,dilation_rate) Sigmoid Silu SoftShrink(threshold) Softmax(axis)
        Softplus Softsign SpaceToDepth(block_size,data_format) SparseCategoricalCrossentropy(from_logits,axis)
        SparsePlus SparseSigmoid Sparsemax(axis) Squareplus(b) TanhShrink Threshold(threshold,default_value)
        Unfold(kernel_size,dilation,padding,stride)
    """,
    "numpy": """
        Abs Absolute Add All(axis,keepdims) AllClose(rtol,atol,equal_nan) Amax(axis,keepdims) Amin(axis,keepdims)
        Angle Any(axis,keepdims) Append(axis) Arange(dtype) Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh
        Argmax(axis,keepdims) Argmin(axis,keepdims) Argpartition(kth,axis) Argsort(axis) Array(dtype)
        ArraySplit(indices_or_sections,axis) Average(axis) Bincount(weights,minlength,sparse) BitwiseAnd BitwiseInvert
        BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo(shape) Cbrt Ceil
        Clip(x_min,x_max) Concatenate(axis) Conj Conjugate Copy Corrcoef Correlate(mode) Cos Cosh CountNonzero(axis)
        Cross(axisa,axisb,axisc,axis) Cumprod(axis,dtype) Cumsum(axis,dtype) Deg2rad Diag(k) Diagflat(k)
        Diagonal(offset,axis1,axis2) Diff(n,axis) Digitize Divide DivideNoNan Dot Dsplit(indices_or_sections) Dstack
        Einsum(subscripts) EmptyLike(dtype) Equal Exp Exp2 ExpandDims(axis) Expm1 Fabs Flip(axis) Fliplr Flipud Floor
        FloorDivide Fmax Fmin Fmod Full(shape,dtype) FullLike(dtype) Gcd Geomspace(num,endpoint,dtype,axis) GetItem
        Greater GreaterEqual Heaviside Histogram(bins,range) Hsplit(indices_or_sections) Hstack Hypot I0 Imag Inner
        IsIn(assume_unique,invert) Isclose(equal_nan) Isfinite Isinf Isnan Isneginf Isposinf Isreal Kron Lcm Ldexp
        LeftShift Less LessEqual Linspace(num,endpoint,retstep,dtype,axis) Log Log10 Log1p Log2 Logaddexp Logaddexp2
        LogicalAnd LogicalNot LogicalOr LogicalXor Logspace(num,endpoint,base,dtype,axis) Matmul
        Max(axis,keepdims,initial) Maximum Mean(axis,keepdims) Median(axis,keepdims) Meshgrid(indexing)
        Min(axis,keepdims,initial) Minimum Mod Moveaxis(source,destination) Multiply NanToNum(nan,posinf,neginf)
        Nanargmax(axis,keepdims) Nanargmin(axis,keepdims) Nancumprod(axis,dtype) Nancumsum(axis,dtype)
        Nanmax(axis,keepdims) Nanmean(axis,keepdims) Nanmedian(axis,keepdims) Nanmin(axis,keepdims)
        Nanpercentile(axis,method,keepdims) Nanprod(axis,keepdims) Nanquantile(axis,method,keepdims)
        Nanstd(axis,keepdims) Nansum(axis,keepdims) Nanvar(axis,keepdims) Ndim Negative Nextafter Nonzero NotEqual
        OnesLike(dtype) Outer Pad(pad_width,mode) Percentile(axis,method,keepdims) Power Prod(axis,keepdims,dtype)
        Ptp(axis,keepdims) Quantile(axis,method,keepdims) Rad2deg Ravel Real Reciprocal Repeat(repeats,axis)
        Reshape(newshape) RightShift Roll(shift,axis) Rot90(k,axes) Round(decimals) SearchSorted(side) Select Sign
        Signbit Sin Sinc Sinh Size Slogdet Sort(axis) Split(indices_or_sections,axis) Sqrt Square Squeeze(axis)
        Stack(axis) Std(axis,keepdims) Subtract Sum(axis,keepdims) Swapaxes(axis1,axis2) Take(axis)
        TakeAlongAxis(axis) Tan Tanh Tensordot(axes) Tile(repeats) Trace(offset,axis1,axis2) Transpose(axes)
        Trapezoid(x,dx,axis) Tril(k) Triu(k) TrueDivide Trunc
        Unique(sorted,return_index,return_inverse,return_counts,axis,size,fill_value) UnravelIndex(shape)
        Vander(N,increasing) Var(axis,keepdims) Vdot View(dtype) Vsplit(indices_or_sections) Vstack Where
        ZerosLike(dtype)
    """,
}
_UNUSUAL = {
    "AllClose": "allclose",
    "BatchNorm": "batch_normalization",
    "CDist": "cdist",
    "IsIn": "isin",
    "LayerNorm": "layer_normalization",
    "RMSNorm": "rms_normalization",
    "SearchSorted": "searchsorted",
    "Where": "select_where",
}
_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}


class Legacy(NamedTuple):
    """One op as files know it."""

    module: str
    class_name: str
    function: str
    config: tuple[str, ...]


@functools.cache
def _rows() -> tuple[dict[str, Legacy], dict[str, Legacy]]:
    by_class: dict[str, Legacy] = {}
    by_function: dict[str, Legacy] = {}
    for module, text in _TABLE.items():
        for name, config in re.findall(r"(\w+)(?:\(([\w,]*)\))?", text):
            function = _UNUSUAL.get(name, to_snake_case(name))
            row = Legacy(f"keras.src.ops.{module}", name, function, tuple(filter(None, config.split(","))))
            by_class[name] = by_function[function] = row
    return by_class, by_function


def op_config(operation: OpCall) -> dict[str, Any]:
    """The serialized form of an op in a graph, as Keras writes it; the other arguments are `op_arguments`."""
    name = operation.op.name
    row = _rows()[1].get(_ALIASES.get(name, name))
    if row is None:
        module, class_name, held = "tricera.ops", name, dict(operation.statics)
    else:
        module, class_name = row.module, row.class_name
        known = {**operation.numbers, **operation.statics}
        held = {key: known[key] for key in row.config if key in known}
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": operation.name, **held},
        "registered_name": class_name,
    }


def op_arguments(operation: OpCall, tensors: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of one node that Keras keeps in the node: tensors and statics, in the function's order.

    Args:
        operation: the op.
        tensors: the node's own `args`.
    """
    name = operation.op.name
    row = _rows()[1].get(_ALIASES.get(name, name))
    held = (
        operation.statics
        if row is None
        else {k for k in row.config if k in operation.numbers or k in operation.statics}
    )
    values = dict(operation.statics)
    values.update((operation.op.names[i], tensor) for (i, _), tensor in zip(operation.op.tensors, tensors, strict=True))
    return tuple(values[key] for key in operation.op.names if key not in held)


class LoadedOp:
    """An op read from a file: call it with the node's `args` and `kwargs` to add it to a graph.

    Attributes:
        name: the name that its node gets.
        config: the arguments that the file keeps in the op's config.
    """

    def __init__(self, function: str, name: str, config: Mapping[str, Any]) -> None:
        self.function, self.name, self.config = function, name, dict(config)
        self._call = PUBLIC[function]
        self._parameters = inspect.signature(self._call).parameters

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the op, whose output gets the name of the file."""
        outputs = self._call(*self._positional(args, kwargs))
        map_structure(self._rename, outputs)
        return outputs

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        given = list(args)
        named = {**self.config, **kwargs}
        values: list[Any] = []
        for name, parameter in self._parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                values += given
                given = []
            elif name in named:
                values.append(named.pop(name))
            elif given:
                values.append(given.pop(0))
            elif parameter.default is not parameter.empty:
                values.append(parameter.default)
            else:
                raise ValueError(f"The node {self.name!r} of ops.{self.function} lacks the argument {name!r}.")
        named.pop("rms_scaling", None)
        if given or named:
            raise ValueError(
                f"The node {self.name!r} of ops.{self.function} has more arguments than ops.{self.function} takes: "
                f"{given or sorted(named)}."
            )
        if self.function == "get_item" and isinstance(values[1], list):
            values[1] = tuple(values[1])  # JSON has no tuples, and a list would gather
        return values

    def _rename(self, output: Any) -> Any:
        history = getattr(output, "_keras_history", None)
        if history is not None and isinstance(history.operation, Operation):
            history.operation.name = self.name
        return output


def op_from_config(class_name: str, config: Mapping[str, Any]) -> LoadedOp:
    """The op that a config names.

    Raises:
        ValueError: there is no op of that name, or its arguments are not among that op's.
    """
    row = _rows()[0].get(class_name)
    function = row.function if row is not None else class_name
    if function not in PUBLIC:
        raise ValueError(f"The file uses the op {class_name!r}, which this version of Tricera does not have.")
    held = dict(config)
    name = held.pop("name", None) or function
    if not isinstance(name, str):
        raise ValueError(f"The name of the op {class_name!r} must be a string, not {name!r}.")
    return LoadedOp(function, name, held)
