"""Sending the results of each epoch to a server."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np

from tricera.callbacks.callback import Callback


class RemoteMonitor(Callback):
    """Posts the results of each epoch, as JSON, to a server; if that fails, warns and lets the training go on.

    Args:
        root: address of the server, `http://` or `https://`.
        path: path of the address.
        field: name of the form's field that holds the JSON text (without `send_as_json`).
        headers: further HTTP headers.
        send_as_json: send the JSON itself (`application/json`) instead of a form.

    Raises:
        ValueError: `root` is no web address.

    Example:
        >>> RemoteMonitor("https://example.org", send_as_json=True).path
        '/publish/epoch/end/'
    """

    timeout = 10.0

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise ValueError(f"`root` must begin with http:// or https://; got {root!r}.")
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Send the epoch's number and results."""
        import urllib.error
        import urllib.parse
        import urllib.request

        message = {"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}}
        text = json.dumps(message)
        if self.send_as_json:
            body, kind = text, "application/json"
        else:
            body, kind = urllib.parse.urlencode({self.field: text}), "application/x-www-form-urlencoded"
        address = self.root + self.path
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(address, body.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout):
                pass
        except (urllib.error.URLError, OSError) as error:
            warnings.warn(f"RemoteMonitor could not reach {address}: {error}.", stacklevel=2)


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
