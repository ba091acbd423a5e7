"""Sentiment of short texts with a bidirectional LSTM over embedded words.

    TRICERA_BACKEND=torch python examples/text_lstm.py --epochs 4 --samples 6000

The texts are made up by this script, from a small grammar, so that nothing is downloaded: reviews such as "the plot was not
dull but the ending was really awful". The order of the words decides: "not" turns a word around, and after "but" comes what the
reviewer thinks in the end. So a model that only counts words stops at three in four, and one that reads them in order gets nearly all
right; the script trains both. (For real reviews, exchange `make_reviews` for `keras.datasets.imdb.load_data(num_words=...)`.)
"""

import argparse

import numpy as np

import tricera as keras
from tricera import layers

GOOD = ["good", "great", "moving", "funny", "clever", "lovely", "gripping", "fine"]
BAD = ["bad", "awful", "boring", "dull", "silly", "weak", "tiresome", "poor"]
SUBJECTS = ["plot", "acting", "music", "ending", "script", "cast", "pace", "dialogue"]
DEGREES = ["", "really", "quite", "rather"]
LENGTH = 24  # words a review at most


def make_clause(rng, positive):
    """A clause such as "the music was not really bad" of a sentiment."""
    negated = rng.random() < 0.5
    adjective = rng.choice(GOOD if positive != negated else BAD)
    words = ["the", rng.choice(SUBJECTS), "was", "not" if negated else "", rng.choice(DEGREES), adjective]
    return " ".join(word for word in words if word)


def make_review(rng, positive):
    """One to three clauses; the last one has the review's sentiment, one before a "but" the opposite."""
    text, sentiment = make_clause(rng, positive), positive
    for _ in range(rng.integers(0, 3)):
        word = rng.choice(["and", "but"])
        sentiment = sentiment if word == "and" else not sentiment
        text = f"{make_clause(rng, sentiment)} {word} {text}"
    return text


def make_reviews(rng, count):
    """Texts and sentiments, 1 for positive."""
    labels = rng.integers(0, 2, count)
    return [make_review(rng, bool(label)) for label in labels], labels.astype("float32")


def encode(texts, vocabulary):
    """Words as numbers, with zeros behind, which the embedding masks."""
    numbers = [[vocabulary[word] for word in text.split()] for text in texts]
    return np.array([row + [0] * (LENGTH - len(row)) for row in numbers], "int32")


def reader(size):
    """Reads the words in both directions."""
    return keras.Sequential(
        [
            layers.Input((LENGTH,), dtype="int32"),
            layers.Embedding(size, 16, mask_zero=True),
            layers.Bidirectional(layers.LSTM(32)),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="reader",
    )


def counter(size):
    """Sees which words there are, not in which order."""
    return keras.Sequential(
        [
            layers.Input((LENGTH,), dtype="int32"),
            layers.Embedding(size, 16, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="counter",
    )


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--samples", type=int, default=6000)
arguments = parser.parse_args()

keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)
texts, labels = make_reviews(rng, arguments.samples)
words = sorted({word for text in texts for word in text.split()})
vocabulary = {word: number for number, word in enumerate(words, 1)}  # 0 means that there is no word
x = encode(texts, vocabulary)
split = len(x) * 4 // 5
print(
    f"backend: {keras.backend.backend()}, {split} reviews to learn from, {len(x) - split} to test, {len(words)} words"
)

models = {"counting words": counter(len(words) + 1), "reading them in order": reader(len(words) + 1)}
for how, model in models.items():
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"])
    model.fit(x[:split], labels[:split], batch_size=32, epochs=arguments.epochs, verbose=2)
    _, accuracy = model.evaluate(x[split:], labels[split:], verbose=0)
    print(f"{how}: accuracy {accuracy:.3f} on reviews that it has not seen")

for text, probability in zip(texts[split:][:3], model.predict(x[split:][:3], verbose=0)[:, 0], strict=True):
    print(f"{probability:.2f} positive: {text}")
