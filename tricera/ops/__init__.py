"""All ops: `keras.ops` by name, on tensors of every framework.

Each op is defined once, in the module of its kind; the backends' own kernels are in tricera/backends/<name>/ops.
"""

from __future__ import annotations

from tricera.ops.activations import *  # noqa: F403
from tricera.ops.arrays import *  # noqa: F403
from tricera.ops.attention import *  # noqa: F403
from tricera.ops.classification import *  # noqa: F403
from tricera.ops.control import *  # noqa: F403
from tricera.ops.convolution import *  # noqa: F403
from tricera.ops.creation import *  # noqa: F403
from tricera.ops.elementwise import *  # noqa: F403
from tricera.ops.linear import *  # noqa: F403
from tricera.ops.normalization import *  # noqa: F403
from tricera.ops.numeric import *  # noqa: F403
from tricera.ops.pooling import *  # noqa: F403
from tricera.ops.reduce import *  # noqa: F403
from tricera.ops.select import *  # noqa: F403
from tricera.ops.shape import *  # noqa: F403
