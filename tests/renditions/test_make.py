"""What a photographer's files look like to an encoder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from skimage import data

from keywright.renditions.base import Crop, How, RenditionError, View
from keywright.renditions.formats import may_hold_a_picture
from keywright.renditions.make import make_rendition, make_thumbnail
from renditions.pictures import (
    corners,
    difference,
    exif_with_orientation,
    png_of_size,
    psd_of,
    saved,
    stored_as,
)

CENTRE = View(Crop.CENTRE, 224)


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    return Image.fromarray(data.astronaut())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "ending"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tif")])
def test_a_photo_stored_in_any_orientation_is_shown_upright(
    tmp_path: Path, orientation: int, kind: str, ending: str
) -> None:
    file = tmp_path / f"photo.{ending}"
    options: dict[str, object] = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    file.write_bytes(saved(stored_as(corners(), orientation), kind, exif=exif_with_orientation(orientation), **options))
    upright = np.asarray(corners().resize((150, 100), Image.Resampling.BICUBIC))
    assert difference(make_thumbnail(file, 150).pixels, upright) < 4


def test_the_centre_view_is_seven_eighths_of_the_short_side(tmp_path: Path) -> None:
    file = tmp_path / "stripe.png"
    wide = np.zeros((320, 480, 3), np.uint8)
    wide[20:300, 100:380] = 255  # exactly what the view shows: 280 of 320 pixels, in the middle
    Image.fromarray(wide).save(file)
    pixels = make_rendition(file, CENTRE).pixels
    assert pixels.shape == (224, 224, 3)
    assert pixels[2:-2, 2:-2].min() == 255


@pytest.mark.parametrize(
    ("size", "shape"), [((600, 400), (192, 256, 3)), ((400, 400), (224, 224, 3)), ((300, 400), (256, 192, 3))]
)
def test_the_shape_view_keeps_a_photo_wide_square_or_high(
    tmp_path: Path, size: tuple[int, int], shape: tuple[int, int, int]
) -> None:
    corners(*size).save(tmp_path / "photo.png")
    pixels = make_rendition(tmp_path / "photo.png", View(Crop.SHAPE, 224)).pixels
    assert pixels.shape == shape
    assert [tuple(pixels[y, x] > 128) for y, x in ((5, 5), (5, -5), (-5, 5), (-5, -5))] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (True, True, True),
    ]


def test_a_large_jpeg_looks_the_same_as_its_small_copy(tmp_path: Path, photograph: Image.Image) -> None:
    photograph.resize((4096, 4096), Image.Resampling.BICUBIC).save(tmp_path / "large.jpg", quality=95)
    photograph.save(tmp_path / "small.png")
    large, small = (make_rendition(tmp_path / name, CENTRE).pixels for name in ("large.jpg", "small.png"))
    assert difference(large, small) < 3


def test_a_cmyk_jpeg_has_its_colours(tmp_path: Path) -> None:
    corners().convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    shown = make_thumbnail(tmp_path / "print.jpg", 480).pixels
    assert difference(shown, np.asarray(corners())) < 6


def test_a_wide_gamut_profile_is_brought_to_srgb(tmp_path: Path) -> None:
    linear = ImageCms.createProfile("XYZ")  # the profile of a picture whose samples are not sRGB at all
    assert linear is not None
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    stored = ImageCms.applyTransform(corners(), to_lab)
    assert stored is not None
    stored.save(tmp_path / "lab.tif", icc_profile=lab.tobytes())
    assert difference(make_thumbnail(tmp_path / "lab.tif", 480).pixels, np.asarray(corners())) < 4


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_a_tiff_of_any_depth_strips_or_tiles_looks_the_same(
    tmp_path: Path, dtype: str, tile: tuple[int, int] | None, photograph: Image.Image
) -> None:
    eight = np.asarray(photograph)
    if dtype == "uint16":
        samples = eight.astype(np.uint16) * 257
    elif dtype == "float32":
        share = eight / 255.0
        samples = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)
    else:
        samples = eight
    tifffile.imwrite(tmp_path / "scan.tif", samples, photometric="rgb", tile=tile, compression="zlib")
    assert difference(make_thumbnail(tmp_path / "scan.tif", 512).pixels, eight) < 1


def test_a_grey_16_bit_png_is_not_black_and_white(tmp_path: Path, photograph: Image.Image) -> None:
    grey = np.asarray(photograph.convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "grey.png")
    assert difference(make_thumbnail(tmp_path / "grey.png", 512).pixels, np.stack([grey] * 3, axis=2)) < 1


def test_what_is_see_through_is_shown_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (10, 20, 30, 0)).save(tmp_path / "logo.png")
    assert make_thumbnail(tmp_path / "logo.png", 64).pixels.min() == 255


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_a_photoshop_file_of_any_depth_shows_its_merged_picture(tmp_path: Path, large: bool, dtype: str) -> None:
    share = np.moveaxis(np.asarray(corners()), -1, 0) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    samples = {"u1": share * 255, "u2": share * 65535, "f4": linear}[dtype]
    file = tmp_path / ("work.psb" if large else "work.psd")
    file.write_bytes(psd_of(np.round(samples, 6).astype(dtype), 3, large=large))
    assert difference(make_thumbnail(file, 480).pixels, np.asarray(corners())) < 1.5


def test_a_selection_saved_in_a_photoshop_file_is_not_its_transparency(tmp_path: Path) -> None:
    picture = np.moveaxis(np.asarray(corners()), -1, 0)
    with_selection = np.concatenate([picture, np.zeros((1, 320, 480), np.uint8)])
    (tmp_path / "selection.psd").write_bytes(psd_of(with_selection, 3, layers=1))
    (tmp_path / "alpha.psd").write_bytes(psd_of(with_selection, 3, layers=-1))
    assert difference(make_thumbnail(tmp_path / "selection.psd", 480).pixels, np.asarray(corners())) == 0
    assert make_thumbnail(tmp_path / "alpha.psd", 480).pixels.min() == 255


@pytest.mark.parametrize("kind", ["heic", "avif", "jp2", "gif", "bmp"])
def test_a_photo_in_each_other_format_looks_like_itself(tmp_path: Path, kind: str, photograph: Image.Image) -> None:
    file = tmp_path / f"photo.{kind}"
    if kind == "heic":
        import pillow_heif

        pillow_heif.from_pillow(photograph).save(file, quality=90)
    else:
        photograph.save(file)
    assert difference(make_thumbnail(file, 256).pixels, np.asarray(photograph.resize((256, 256)))) < 6


@pytest.mark.parametrize("kind", ["jxl", "jxr"])
def test_a_jpeg_xl_or_xr_looks_like_itself(tmp_path: Path, kind: str, photograph: Image.Image) -> None:
    import imagecodecs

    encode = {"jxl": imagecodecs.jpegxl_encode, "jxr": imagecodecs.jpegxr_encode}[kind]
    (tmp_path / f"photo.{kind}").write_bytes(encode(np.asarray(photograph), level=90))
    shown = make_thumbnail(tmp_path / f"photo.{kind}", 256).pixels
    assert difference(shown, np.asarray(photograph.resize((256, 256)))) < 6


def test_a_video_shows_a_frame_that_is_not_black(tmp_path: Path, photograph: Image.Image) -> None:
    av = pytest.importorskip("av")
    file = tmp_path / "clip.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 256
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 5
        black, seen = np.zeros((256, 256, 3), np.uint8), np.asarray(photograph.resize((256, 256)))
        for number in range(40):  # black until a little after a third
            frame = av.VideoFrame.from_ndarray(black if number < 15 else seen, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    rendition = make_thumbnail(file, 256)
    assert rendition.how is How.FRAME
    assert difference(rendition.pixels, seen) < 20


def test_a_png_that_promises_more_pixels_than_memory_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png_of_size(60_000, 60_000))
    with pytest.raises(RenditionError, match=r"60000 × 60000 pixels are more than"):
        make_rendition(tmp_path / "bomb.png", CENTRE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_a_file_cut_short_is_one_sentence_that_names_it(
    tmp_path: Path, kind: str, share: float, photograph: Image.Image
) -> None:
    whole = saved(photograph, kind)
    file = tmp_path / f"cut.{kind.lower()}"
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RenditionError) as refused:
        make_rendition(file, CENTRE)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"not a picture at all, only words", "in no picture format")]
)
def test_a_file_that_is_no_picture_says_so(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(RenditionError, match=said):
        make_rendition(tmp_path / "photo.jpg", CENTRE)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(RenditionError, match=r"is not there any more"):
        make_rendition(tmp_path / "gone.jpg", CENTRE)


def test_a_jpeg_named_png_is_read_as_what_it_is(tmp_path: Path, photograph: Image.Image) -> None:
    (tmp_path / "photo.png").write_bytes(saved(photograph, "JPEG"))
    assert make_rendition(tmp_path / "photo.png", CENTRE).how is How.DECODED


def test_a_thumbnail_is_never_larger_than_the_photo(tmp_path: Path) -> None:
    corners(60, 40).save(tmp_path / "small.png")
    assert make_thumbnail(tmp_path / "small.png", 512).pixels.shape == (40, 60, 3)


def test_every_real_file_gives_a_picture_or_one_sentence(shared: Path) -> None:
    folder = shared / "formats"
    refused = {}
    for file in sorted(path for path in folder.glob("*/**/*") if path.is_file() and may_hold_a_picture(path)):
        try:
            pixels = make_thumbnail(file, 128).pixels
        except RenditionError as error:
            refused[file] = str(error)
        else:
            assert (pixels.ndim, pixels.dtype) == (3, np.uint8)
    assert all(str(file) in said and "\n" not in said for file, said in refused.items())
    # Damaged files, camera raw files that were cut down to their metadata, and a film without a picture.
    by_kind = Counter(file.relative_to(folder).parts[0] for file in refused)
    assert by_kind == {"broken": 17, "raw": 12, "video": 1}


def test_raw_files_are_read_by_their_preview_or_their_data(shared: Path) -> None:
    assert make_rendition(shared / "formats/raw/CRW.CRW", CENTRE).how is How.PREVIEW
    assert make_rendition(shared / "formats/raw/colorchart.dng", CENTRE).how is How.RAW


def test_real_photos_of_one_scene_in_eight_orientations_are_one_picture(shared: Path) -> None:
    folder = shared / "formats/jpeg/orientation"
    upright = make_thumbnail(folder / "f1t.jpg", 80).pixels
    for number in (2, 3, 4, 5, 7, 8):
        assert difference(make_thumbnail(folder / f"f{number}t.jpg", 80).pixels, upright) < 8
