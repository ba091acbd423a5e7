"""From which logits probabilities were made: a crossentropy that knows can be taken from these."""

from __future__ import annotations

from typing import Any

from tricera.core import dispatch
from tricera.core.masking import Companion

# (the activation's name, the logits, the versions of both)
_origins = Companion("_tricera_origin")


def note_origin(backend: dispatch.Backend, activation: str, probabilities: Any, logits: Any) -> None:
    """Remember that an activation made probabilities of logits, unless changes of either in place would go unnoticed."""
    versions = backend.version(probabilities), backend.version(logits)
    if None not in versions:
        _origins.give(probabilities, (activation, logits, versions))


def logits_of(activation: str, probabilities: Any) -> Any:
    """The logits of which an activation made these probabilities; None if it didn't, or either was changed in place since."""
    found = _origins.of(probabilities)
    if found is None or found[0] != activation:
        return None
    backend = dispatch.of_type(type(probabilities))
    assert backend is not None
    logits, versions = found[1:]
    return logits if (backend.version(probabilities), backend.version(logits)) == versions else None
