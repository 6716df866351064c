"""Pictures of people: taken from whatever was uploaded, and made anew, so that nothing but what is seen is kept."""

from __future__ import annotations

import io
from hashlib import sha256

from flask_babel import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.accounts.models import Picture, User
from portal.accounts.service import FieldRefused
from portal.db import db, utcnow

LARGEST = 2 * 1024 * 1024  # bytes
MOST_PIXELS = 25_000_000
SIDE = 256  # pixels
KINDS = ("PNG", "JPEG", "WEBP", "GIF")


def change_picture(user: User, uploaded: bytes) -> None:
    """Show this picture beside what the user writes; raise FieldRefused, with what to do, for one we cannot take."""
    image = make_picture(uploaded)
    kept = db.session.get(Picture, user.id)
    if kept is None:
        db.session.add(Picture(user_id=user.id, image=image))
    else:
        kept.image, kept.made_at = image, utcnow()
    user.picture = name_of(image)


def remove_picture(user: User) -> None:
    """Forget the picture; there being none is fine."""
    kept = db.session.get(Picture, user.id)
    if kept is not None:
        db.session.delete(kept)
    user.picture = None


def find_picture(user: User, name: str) -> Picture | None:
    """Return the user's picture if this is the name of the present one."""
    return db.session.get(Picture, user.id) if user.picture == name and not user.is_former else None


def name_of(image: bytes) -> str:
    """Return what the address of a picture ends with: other content, other name."""
    return sha256(image).hexdigest()[:32]


def make_picture(uploaded: bytes) -> bytes:
    """Return the middle of the picture as a small square WebP that holds nothing but its pixels."""
    if not uploaded:
        raise FieldRefused("picture", _("Choose a file with a picture first."))
    if len(uploaded) > LARGEST:
        raise too_large()
    try:
        with Image.open(io.BytesIO(uploaded), formats=KINDS) as opened:
            return _made_anew(opened)
    except UnidentifiedImageError:
        raise FieldRefused("picture", _("This is not a picture we can read. Use a PNG, JPEG, WebP or GIF.")) from None
    except FieldRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception:  # a picture is a program for its decoder: whatever a damaged one makes it do ends here
        raise FieldRefused("picture", _("This picture is damaged. Save it once more, or use another one.")) from None


def too_large() -> FieldRefused:
    """Say that the file has too many bytes."""
    return FieldRefused("picture", _("This file is larger than 2 MB. Use a smaller version of the picture."))


def _made_anew(opened: Image.Image) -> bytes:
    width, height = opened.size  # known from the first bytes; nothing is decoded yet
    if width * height > MOST_PIXELS:
        raise _too_many_pixels()
    opened.seek(0)
    if opened.format == "JPEG":
        opened.draft("RGB", (SIDE * 2, SIDE * 2))
    upright = ImageOps.exif_transpose(opened)
    colours = upright if upright.mode in {"1", "L", "LA", "P", "PA", "RGB", "RGBA"} else upright.convert("RGB")
    square = ImageOps.fit(colours.convert("RGBA"), (SIDE, SIDE), Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", square.size)
    clean.paste(square)
    made = io.BytesIO()
    clean.save(made, "WEBP", quality=82, method=4)
    return made.getvalue()


def _too_many_pixels() -> FieldRefused:
    return FieldRefused("picture", _("This picture has more than 25 million pixels. Use a smaller version of it."))
