"""What IMDB and Reuters share: texts as lists of word numbers, and the choices about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def shuffled(x: np.ndarray, y: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Texts and classes in a random order, the same as Keras's for the same state of the generator.

    Args:
        x: object array (n,) of lists of int.
        y: array (n,).
        rng: the generator; Keras's order is that of NumPy's older one.

    Returns:
        Both arrays, permuted alike.
    """
    order = np.arange(len(x))
    rng.shuffle(order)
    return x[order], y[order]


def encode(
    texts: Sequence[Sequence[int]],
    num_words: int,
    skip_top: int,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> list[list[int]]:
    """Number the words as a model is to see them.

    Each number is raised by `index_from` and `start_char` put before; then numbers outside [skip_top, num_words) become
    `oov_char`, or are left out where that is None.

    Example:
        >>> encode([[1, 9]], num_words=10, skip_top=0, start_char=1, oov_char=2, index_from=3)
        [[1, 4, 2]]
    """
    start = [] if start_char is None else [start_char]
    encoded = [[*start, *(int(word) + index_from for word in text)] for text in texts]
    keep = range(skip_top, num_words)
    if oov_char is None:
        return [[word for word in text if word in keep] for text in encoded]
    return [[word if word in keep else oov_char for word in text] for text in encoded]


def prepare(
    x: np.ndarray,
    y: np.ndarray,
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Encode texts and leave out those that, with the start mark, have `maxlen` words or more.

    Returns:
        An object array (m,) of lists of int, the classes (m,), and bools (n,) that say which texts were kept.

    Raises:
        ValueError: no text is short enough, or a number is not an integer of at least zero.
    """
    for name, value, least in (("num_words", num_words, 1), ("maxlen", maxlen, 1), ("skip_top", skip_top, 0)):
        if value is not None and value < least:
            raise ValueError(f"`{name}` must be at least {least}. Received: {value}.")
    lengths = np.fromiter((len(text) for text in x), int, len(x)) + (start_char is not None)
    kept = np.ones(len(x), bool) if maxlen is None else lengths < maxlen
    if not kept.any():
        raise ValueError(f"No text is shorter than maxlen={maxlen} words (with the start mark); increase maxlen.")
    if num_words is None:
        # As Keras has it: the single largest number, the rarest word, falls outside of the range.
        num_words = max(start_char or 0, max((max(text, default=0) for text in x[kept]), default=0) + index_from)
    encoded = np.empty(int(kept.sum()), object)
    encoded[:] = encode(list(x[kept]), num_words, skip_top, start_char, oov_char, index_from)
    return encoded, y[kept], kept


def word_index(path: Path) -> dict[str, int]:
    """The numbers of the words, from a JSON file.

    Raises:
        ValueError: the file is not a JSON object of integers.
    """
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not a word index: {error}") from error
    if not isinstance(words, dict) or not all(type(number) is int for number in words.values()):
        raise ValueError(f"{path} is not a word index: expected a JSON object of words and their numbers.")
    return words
