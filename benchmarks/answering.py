"""How long a person waits: ``python benchmarks/answering.py SOURCE`` (learned before, in KEYWRIGHT_HOME).

Prints the time inside the process to suggest for one photo whose vector is known, with its reasons, and the time to
train all keywords from the vectors that are there. Goals: 50 ms and 2 s.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.operations.active import load_models
from keywright.operations.gathering import gather
from keywright.operations.naming import head_of
from keywright.operations.workspace import Workspace
from keywright.suggesting import SuggestSettings
from keywright.suggesting.suggest import Examples, suggest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=200, help="photos to suggest for")
    count = parser.parse_args().photos
    with Workspace.open() as workspace:
        with workspace.store.read() as connection:
            gathered = gather(workspace, connection)
        models, _ = load_models(workspace)
        vectors = np.asarray(gathered.data.vectors, dtype=np.float32)
        examples = Examples.of(vectors, gathered.data.keywords)
        for name, settings in (("suggestions", SuggestSettings()), ("every keyword", SuggestSettings(0.0, 0))):
            taken = []
            for vector in vectors[:count]:
                started = time.perf_counter()
                list(suggest(models, vector[None], [frozenset()], settings, examples))
                taken.append(time.perf_counter() - started)
            half, most = np.percentile(taken, [50, 95]) * 1000
            print(f"{name:<14} for one known photo: median {half:.1f} ms, 95 % within {most:.1f} ms")
        data = replace(gathered.data, head=head_of(workspace.encoder, gathered.data.norms))
        wall, cpu = time.perf_counter(), time.process_time()
        result = train(data, LearnerSettings())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        learned = f"training {len(result.models.keywords)} keywords on {len(vectors):,} photos"
        print(f"{learned}: {wall:.2f} s ({cpu:.2f} s of processor time)")


if __name__ == "__main__":
    main()
