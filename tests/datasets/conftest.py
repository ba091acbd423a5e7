"""Empty cache folders, and no network."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest


@pytest.fixture(autouse=True)
def caches(tmp_path_factory, monkeypatch):
    """Our cache folder and Keras's, both empty; whatever is not a file URL can't be reached."""
    folder = tmp_path_factory.mktemp("caches")
    ours, keras = folder / "ours", folder / "keras"
    monkeypatch.setenv("TRICERA_HOME", str(ours))
    monkeypatch.setenv("KERAS_HOME", str(keras))
    opener = urllib.request.urlopen

    def offline(url, *args, **kwargs):
        if not url.startswith("file:"):
            raise urllib.error.URLError("no network in tests")
        return opener(url, *args, **kwargs)

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    for folder in (ours, keras):
        (folder / "datasets").mkdir(parents=True)
    return ours / "datasets", keras / "datasets"
