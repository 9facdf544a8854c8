"""A bridge stays small: what only learning needs is not loaded where suggestions are given."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from service.conftest import Learned

ASKED = """
import sys
from pathlib import Path
from service.kit import running
with running(Path(sys.argv[1])) as raw:
    for path in ("models/keywords", "thresholds?keyword=Cat", "thresholds/preview?keyword=Cat&confidence=0.5",
                 "models/versions", "uncertain?limit=2", "suggestions", "review/photos"):
        asked = ("POST", f"/v1/{path}", {"photos": [1, 2, 3]}) if path == "suggestions" else ("GET", f"/v1/{path}")
        answer = raw.send(*asked)
        assert answer.status == 200, (path, answer.body)
print(*sorted({"scipy", "torch", "onnxruntime", "sklearn"} & sys.modules.keys()))
"""


def test_suggestions_thresholds_and_questions_load_neither_scipy_nor_an_encoder(
    learned_home: Learned, tmp_path: Path
) -> None:
    shutil.copytree(learned_home.home, tmp_path / "home")
    roots = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(tmp_path / "home")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(roots)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
