"""Pictures for tests, made as they are needed."""

import io
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: Any) -> bytes:
    """Return a picture whose left half is red and whose right half is blue, where its mode has colours."""
    colours = Image.new("RGB", size, (200, 30, 30))
    colours.paste((30, 30, 200), (size[0] // 2, 0, size[0], size[1]))
    made = io.BytesIO()
    colours.convert(mode).save(made, kind, **options)
    return made.getvalue()
