"""IMDB: 50,000 film reviews as word numbers, and whether they praise (Maas et al. 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tricera.datasets import word_sequences
from tricera.datasets.cache import ORIGIN, find
from tricera.datasets.unpickling import object_arrays

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_WORDS_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> tuple[Arrays, Arrays]:
    """Reviews as lists of word numbers, 1 for the most frequent word, and whether they are positive.

    Args:
        path: the name of the file in the cache folders, or an absolute path.
        num_words: words from this number on become `oov_char`; None keeps all but the rarest one, as in Keras.
        skip_top: words below this number (after `index_from`) become `oov_char`.
        maxlen: reviews of so many words or more, with the start mark, are left out.
        seed: of the order.
        start_char: the number put before each review; None for none.
        oov_char: the number of words left out; None drops them.
        index_from: added to each word's number.
        **kwargs: none are known; for a clear error.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays (n,) of lists of int, and int64 arrays (n,) of 0 and 1;
        25,000 and 25,000 of them.

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        TypeError: unknown arguments.
        ValueError: the file isn't IMDB's, or no review is shorter than `maxlen`.
    """
    if kwargs:
        raise TypeError(f"imdb.load_data() got unknown arguments: {', '.join(kwargs)}.")
    file = find(path, f"{ORIGIN}imdb.npz", _SHA256)
    x_train, y_train, x_test, y_test = object_arrays(file, "x_train", "y_train", "x_test", "y_test")
    rng = np.random.RandomState(seed)
    x_train, y_train = word_sequences.shuffled(x_train, y_train, rng)
    x_test, y_test = word_sequences.shuffled(x_test, y_test, rng)
    # Encoded together, so that the largest number counts over both.
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    x, y, kept = word_sequences.prepare(x, y, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    count = int(kept[: len(x_train)].sum())
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The numbers of the words, before `index_from` is added.

    Args:
        path: the name of the file in the cache folders, or an absolute path.

    Returns:
        A dict from words to numbers, 1 for the most frequent.

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't a word index.
    """
    return word_sequences.word_index(find(path, f"{ORIGIN}imdb_word_index.json", _WORDS_MD5))
