"""The ground floor: ops, shapes, dtypes, variables and graphs, in plain Python and NumPy.

Nothing here imports a framework; a backend is looked up by name when the first tensor needs it, so a model can be
built, summarised and saved before any framework is loaded.
"""
