"""What every layer has, a room a concern, each standing on the one before: state, config, build, call.

`tricera.layers.layer.Layer` is the last of the chain: how a layer comes into being, losses, and the move to another backend.
"""
