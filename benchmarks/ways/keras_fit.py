"""Keras's `fit` on arrays in memory, normalised beforehand, without augmentation."""

from benchmarks.cases import Case, pictures
from benchmarks.turns import Turns
from benchmarks.ways.keras_networks import MANY_EPOCHS, TakesTurns, compiled, normalised


def run(case: Case, turns: Turns) -> None:
    images, labels = pictures(case.images)
    model = compiled(case.spec)
    calls = [TakesTurns(turns)]
    model.fit(normalised(images), labels, batch_size=case.batch, epochs=MANY_EPOCHS, verbose=0, callbacks=calls)
