"""One folder a framework, with the same rooms in each; only here are the frameworks imported.

`contract.py` says what a backend provides. A room is a module of plain functions; a table of differences, mostly, since
inputs arrive converted, promoted and checked by the front half of an op (tricera/core/op.py).
"""
