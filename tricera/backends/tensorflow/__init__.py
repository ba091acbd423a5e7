"""TensorFlow: steps are `tf.function`s over `tf.Variable`s; layers are trackable."""
