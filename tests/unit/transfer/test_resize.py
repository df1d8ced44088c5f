import io

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.media.image import encode_png16
from osler.schema.media import Window
from osler.transfer.resize import Resize, ResizeConfig, make_resize
from transfer_world import picture, png

LETTERBOX = Resize("letterbox", "bicubic", 0, 16, "full_range")


def test_letterbox_keeps_the_shape_and_fills_the_rest():
    wide = Image.new("RGB", (40, 20), (200, 200, 200))
    shown = LETTERBOX(png(wide))
    assert shown.shape == (16, 16, 3) and shown.dtype == np.uint8
    assert (shown[4:12] == 200).all() and (shown[:4] == 0).all() and (shown[12:] == 0).all()
    assert (Resize("stretch", "bicubic", 0, 16, "full_range")(png(wide)) == 200).all()


def test_crop_keeps_the_middle():
    wide = Image.new("RGB", (40, 20))
    wide.paste((255, 0, 0), (10, 0, 30, 20))
    assert (Resize("crop", "bilinear", 0, 16, "full_range")(png(wide)) == [255, 0, 0]).all()


def test_gray_palette_cmyk_and_transparent_pictures_are_shown_as_colour():
    colour = picture(1, size=(16, 16))
    gray = LETTERBOX(png(colour.convert("L")))
    assert (gray == gray[..., :1]).all()
    palette = colour.quantize(16)
    assert (LETTERBOX(png(palette)) == np.asarray(palette.convert("RGB"))).all()
    out = io.BytesIO()
    colour.convert("CMYK").save(out, format="TIFF")
    assert (LETTERBOX(out.getvalue()) == np.asarray(colour.convert("CMYK").convert("RGB"))).all()
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    assert (LETTERBOX(png(clear)) == 255).all()


def test_deep_gray_is_windowed_never_clipped():
    values = np.linspace(1000, 3000, 256).reshape(16, 16).astype(np.uint16)
    data = encode_png16(values)
    assert LETTERBOX(data).max() == round(3000 / 65535 * 255)
    own = Resize("letterbox", "bicubic", 0, 16, "own_range")(data)
    assert own.min() == 0 and own.max() == 255
    assert LETTERBOX(data, Window(center=2000, width=2000)).max() == 255


def test_an_encoder_of_another_size_than_the_protocols_is_refused():
    assert make_resize(ResizeConfig(), "vit", 96).image_px == 96
    with pytest.raises(InputError, match="another size than the protocol shows") as error:
        make_resize(ResizeConfig(image_px=224), "vit", 96)
    assert "224 px" in str(error.value) and "96 px" in str(error.value)
