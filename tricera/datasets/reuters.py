"""Reuters: 11,228 newswires as word numbers, of 46 topics (after Reuters-21578, Lewis 1987)."""

from __future__ import annotations

import numpy as np

from tricera.datasets import word_sequences
from tricera.datasets.cache import ORIGIN, find
from tricera.datasets.splitting import check_split
from tricera.datasets.unpickling import object_arrays

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_WORDS_MD5 = "4d44cc38712099c9e383dc6e5f11a921"
_LABELS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude "
    "nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber "
    "heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Arrays, Arrays]:
    """Newswires as lists of word numbers, 1 for the most frequent word, and their topics.

    Args:
        path: the name of the file in the cache folders, or an absolute path.
        num_words: words from this number on become `oov_char`; None keeps all but the rarest one, as in Keras.
        skip_top: words below this number (after `index_from`) become `oov_char`.
        maxlen: newswires of so many words or more, with the start mark, are left out.
        test_split: the share of the test data.
        seed: of the order.
        start_char: the number put before each newswire; None for none.
        oov_char: the number of words left out; None drops them.
        index_from: added to each word's number.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays (n,) of lists of int, and int64 topics (n,), 0 to 45.

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't Reuters's, or no newswire is shorter than `maxlen`.
    """
    check_split(test_split)
    x, y = object_arrays(find(path, f"{ORIGIN}reuters.npz", _SHA256), "x", "y")
    x, y = word_sequences.shuffled(x, y, np.random.RandomState(seed))
    x, y, _ = word_sequences.prepare(x, y, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The numbers of the words, before `index_from` is added.

    Args:
        path: the name of the file in the cache folders, or an absolute path.

    Returns:
        A dict from words to numbers, 1 for the most frequent.

    Raises:
        OSError: the file is not there and can't be downloaded; the message says which file to put where.
        ValueError: the file isn't a word index.
    """
    return word_sequences.word_index(find(path, f"{ORIGIN}reuters_word_index.json", _WORDS_MD5))


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    Example:
        >>> get_label_names()[:4]
        ('cocoa', 'grain', 'veg-oil', 'earn')
    """
    return tuple(_LABELS.split())
