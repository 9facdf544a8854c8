"""A running bridge: what is decided in one request is known in the next."""

from __future__ import annotations

import shutil
from pathlib import Path

from keywright.config import Config, Learning
from keywright.operations.teaching import Teacher
from keywright_plugin.values import DecisionMade
from service.kit import Raw, running
from teaching.kit import CAT, bare_photo


def confidence(bridge: Raw, photo: int) -> float:
    answer = bridge.client.suggest([photo], min_confidence=0.001, limit=0)
    return {s.keyword: s.confidence for s in answer.photos[0].suggestions}[str(CAT)]


def teacher(bridge: Raw) -> Teacher:
    found = bridge.bridge.workspace.teacher
    assert isinstance(found, Teacher)
    return found


def test_a_decision_sent_to_the_bridge_changes_what_it_suggests_next(learned_home: Path, tmp_path: Path) -> None:
    shutil.copytree(learned_home, tmp_path / "home")
    alike = bare_photo(CAT, turn=1)
    with running(tmp_path / "home") as bridge:
        before = confidence(bridge, alike)
        for turn in (0, 2, 3):
            bridge.client.decide([DecisionMade(bare_photo(CAT, turn=turn), str(CAT), "rejected")])
        teacher(bridge).finish()
        assert confidence(bridge, alike) < before
    with running(tmp_path / "home") as bridge:
        assert confidence(bridge, alike) < before
        for turn in (0, 2, 3):
            bridge.client.decide([DecisionMade(bare_photo(CAT, turn=turn), str(CAT), "undecided")])
        teacher(bridge).finish()
        assert abs(confidence(bridge, alike) - before) < 0.01


def test_the_configuration_says_when_decisions_are_learned(learned_home: Path, tmp_path: Path) -> None:
    shutil.copytree(learned_home, tmp_path / "home")
    with running(tmp_path / "home", Config(learning=Learning(decisions_before_learning=0))) as bridge:
        before = confidence(bridge, bare_photo(CAT, turn=1))
        bridge.client.decide([DecisionMade(bare_photo(CAT), str(CAT), "rejected")])
        teacher(bridge).finish()
        assert confidence(bridge, bare_photo(CAT, turn=1)) == before
        assert teacher(bridge).learn_now().waiting == 0
        assert confidence(bridge, bare_photo(CAT, turn=1)) < before
