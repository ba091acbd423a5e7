"""What the tests of optimizers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tricera.core import dispatch


@pytest.fixture(params=dispatch.installed())
def backend(request: pytest.FixtureRequest) -> Iterator[dispatch.Backend]:
    """Each installed backend in turn, as the current one."""
    with dispatch.use(request.param) as handle:
        yield handle
