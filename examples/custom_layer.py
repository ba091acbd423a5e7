"""A layer of one's own, written with ops: it runs on every framework, and reports shapes without running."""

import tricera as keras
from tricera import ops


class GatedUnit(keras.layers.Layer):
    """tanh(x @ a) * sigmoid(x @ b)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.a = self.add_weight(shape=shape, initializer="glorot_uniform", name="a")
        self.b = self.add_weight(shape=shape, initializer="glorot_uniform", name="b")

    def call(self, x):
        return ops.tanh(ops.matmul(x, self.a)) * ops.sigmoid(ops.matmul(x, self.b))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


inputs = keras.Input((8,))
model = keras.Model(inputs, keras.layers.Dense(1)(GatedUnit(4)(inputs)))
model.summary()
for name in keras.backend.installed():
    model.to_backend(name)
    print(f"{name:12}", ops.convert_to_numpy(model(ops.convert_to_numpy(ops.ones((1, 8)))))[0, 0])
