"""An open_clip encoder from a folder: a tiny network with random weights and its tokenizer, no network connection."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.clip_extra import clip_is_installed
from encoders.tiny_clip import make_tiny_clip
from keywright.encoders import available_encoders, clip_network, encoder_dimension, open_encoder, resolve_encoder
from keywright.encoders.base import Encoder, EncoderError, TextEncoder, text_side
from keywright.encoders.clip import ClipEncoder
from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.encoders.probing import probe
from keywright.encoders.pulling import CONFIG, SUMS, pull_from_folder

if not clip_is_installed():
    pytest.skip("the extra [clip] is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("source") / "tiny")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    folder = tmp_path_factory.mktemp("home")
    pull_from_folder("tiny", tiny, folder / "encoders", "MIT", "a test")
    return folder


@pytest.fixture(scope="module")
def encoder(home: Path) -> ClipEncoder:
    found = open_encoder("tiny", home / "cache", home / "encoders")
    assert isinstance(found, ClipEncoder)
    return found


def test_what_was_pulled_is_known_by_its_name_and_by_its_id(home: Path, encoder: Encoder) -> None:
    assert resolve_encoder("tiny", home / "encoders") == encoder.id
    assert encoder.id.startswith("clip/tiny-")
    assert encoder_dimension(encoder.id, home / "encoders") == 24
    assert [info.level for info in available_encoders(home / "encoders")][-1] == "tiny"


def test_vectors_of_photos_are_unit_vectors_alone_and_together(encoder: ClipEncoder) -> None:
    pixels = list(probe(32))
    together = encoder.encode(pixels).vectors
    alone = np.concatenate([encoder.encode([picture]).vectors for picture in pixels])
    assert together.shape == (4, 24)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.abs(together - alone).max() < 1e-4


def test_onnx_runtime_gives_torchs_vectors_or_is_not_used(home: Path, tiny: Path, encoder: ClipEncoder) -> None:
    import torch

    open_clip = clip_network.import_open_clip()
    model = open_clip.create_model(f"local-dir:{tiny}").eval()
    pixels = probe(32)
    planes = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
    with torch.inference_mode():
        expected = model.encode_image(planes, normalize=True).numpy()
    assert np.abs(encoder.encode(list(pixels)).vectors - expected).max() < 1e-4
    assert encoder.fit.agreement > 0.9999
    assert (encoder.fit.runner == "torch") == (not list((home / "cache").glob("*.onnx")))


def test_the_exported_graph_is_the_network(home: Path, encoder: ClipEncoder, tmp_path: Path) -> None:
    from keywright.encoders.kept import read_kept
    from keywright.encoders.onnx_graph import load_graph

    del encoder  # it says that the home holds one
    folder = home / "encoders" / "tiny"
    network = clip_network.ClipNetwork(read_kept(folder), folder)
    clip_network.export_vision(network, 32, tmp_path / "graph.onnx")
    pixels = np.concatenate([probe(32), probe(32)[:1]])
    assert np.abs(load_graph(tmp_path / "graph.onnx")(pixels) - network.photos(pixels)).max() < 1e-4


def test_how_it_runs_best_is_found_once(home: Path, encoder: ClipEncoder) -> None:
    files = {file: file.stat().st_mtime_ns for file in (home / "cache").iterdir()}
    again = open_encoder("tiny", home / "cache", home / "encoders")
    assert isinstance(again, ClipEncoder)
    assert again.fit == encoder.fit
    assert {file: file.stat().st_mtime_ns for file in (home / "cache").iterdir()} == files


def test_names_become_unit_vectors_the_mean_over_the_templates(encoder: ClipEncoder) -> None:
    assert text_side(encoder) is encoder
    assert isinstance(encoder, TextEncoder)
    both = encoder.encode_text(["dog", "beach"], ("a photo of a {}", "the {}"))
    single = [encoder.encode_text(["dog"], (template,))[0] for template in ("a photo of a {}", "the {}")]
    mean = np.mean(single, axis=0)
    assert np.allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    assert np.allclose(both[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert np.abs(both[0] - both[1]).max() > 1e-3
    assert encoder.encode_text([]).shape == (0, 24)
    assert encoder.text_scale > 1


def test_an_encoder_without_words_has_no_text_side(home: Path) -> None:
    assert text_side(open_encoder("fast", home / "cache")) is None


def test_photos_on_disk_are_embedded_in_order(encoder: ClipEncoder, tmp_path: Path) -> None:
    files = []
    for number in range(12):
        files.append(tmp_path / f"{number:02}.png")
        Image.new("RGB", (64, 40), (20 * number, 255 - 20 * number, 90)).save(files[-1])
    results = [r for r in embed_files(files, encoder) if isinstance(r, EmbeddedPhoto)]
    assert [r.path for r in results] == files


def test_other_weights_are_another_encoder(home: Path, encoder: ClipEncoder, tmp_path: Path) -> None:
    del home
    other = make_tiny_clip(tmp_path / "other", seed=1)
    assert pull_from_folder("tiny", other, tmp_path / "encoders", "MIT", "").id != encoder.id


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=f"there is no {CONFIG} in it"):
        pull_from_folder("x", tmp_path, tmp_path / "encoders", "", "")


def test_weights_that_are_not_what_their_checksum_says_are_refused(tiny: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny, source)
    (source / SUMS).write_text(f"{'0' * 64}  open_clip_model.safetensors\n")
    with pytest.raises(EncoderError, match="is not what SHA256SUMS beside it says"):
        pull_from_folder("x", source, tmp_path / "encoders", "", "")
    assert not (tmp_path / "encoders" / "x" / "open_clip_model.safetensors").exists()


@pytest.mark.parametrize(
    ("weights", "content", "words"),
    [
        ("open_clip_model.safetensors", b"no tensors", "pull it anew"),
        ("open_clip_pytorch_model.bin", b"\x80\x02cos\nsystem\n", r"\.bin is damaged or holds more than tensors"),
    ],
)
def test_weights_that_are_damaged_or_no_tensors_are_named_and_never_run(
    tiny: Path, tmp_path: Path, weights: str, content: bytes, words: str
) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny, source)
    (source / "open_clip_model.safetensors").rename(source / weights)
    if weights.endswith(".bin"):
        (source / weights).write_bytes(content)
    pull_from_folder("x", source, tmp_path / "encoders", "", "")
    (tmp_path / "encoders" / "x" / weights).write_bytes(content)
    with pytest.raises(EncoderError, match=rf"encoder x in .* cannot be loaded .*{words}"):
        open_encoder("x", tmp_path / "cache", tmp_path / "encoders")
