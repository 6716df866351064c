"""Pictures of people: what is taken, what is kept of it, and who sees it."""

import io
import struct
import zlib

import pytest
from PIL import Image, features

from portal.accounts import pictures
from portal.accounts.models import Picture, User
from portal.accounts.service import FieldRefused
from portal.db import db
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user
from tests.support import on_one_database
from tests.support import queries as count_queries
from tests.support.images import picture


def fresh(user):
    db.session.rollback()
    return db.session.get_one(User, user.id)


def upload(browser, content, name="me.png", kind="image/png"):
    answer = browser.post("/account/picture", data={"picture": (io.BytesIO(content), name, kind)})
    answer.request.environ["wsgi.input"].close()  # of a large form the client makes a file
    return answer


def exif(orientation):
    noted = Image.Exif()
    noted[0x0112], noted[0x010F], noted[0x9286] = orientation, "CAMERAMARKER", "COMMENTMARKER"
    noted.get_ifd(0x8825)[1] = "N"
    return noted.tobytes()


def frames(kind, **options):
    made = io.BytesIO()
    first, second = Image.new("RGB", (64, 64), (0, 200, 0)), Image.new("RGB", (64, 64), (200, 0, 0))
    first.save(made, kind, save_all=True, append_images=[second], duration=100, **options)
    return made.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width, height, rows=10):
    """A small PNG that says it is enormous."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * rows)) + chunk(b"IEND", b"")
    )


def with_chunk(name, data):
    whole = picture()
    return whole[:33] + chunk(name, data) + whole[33:]


TAKEN = {
    "png": lambda: picture(),
    "png with transparency": lambda: picture(mode="RGBA"),
    "png with a palette": lambda: picture(mode="P"),
    "png in grey": lambda: picture(mode="L"),
    "png in grey with transparency": lambda: picture(mode="LA"),
    "png in black and white": lambda: picture(mode="1"),
    "png in deep grey": lambda: picture(mode="I;16"),
    "png, one pixel": lambda: picture(size=(1, 1)),
    "png, very wide": lambda: picture(size=(4000, 3)),
    "png, very high": lambda: picture(size=(3, 4000)),
    "png with words": lambda: with_chunk(b"tEXt", b"Comment\0PNGMARKER"),
    "png with moving pictures": lambda: frames("PNG"),
    "jpeg": lambda: picture("JPEG"),
    "jpeg, progressive": lambda: picture("JPEG", progressive=True),
    "jpeg in grey": lambda: picture("JPEG", mode="L"),
    "jpeg in four inks": lambda: picture("JPEG", mode="CMYK"),
    "jpeg from a turned camera": lambda: picture("JPEG", exif=exif(6)),
    "jpeg, just below the most pixels": lambda: picture("JPEG", size=(5000, 5000), quality=10),
    "webp": lambda: picture("WEBP"),
    "webp without loss": lambda: picture("WEBP", lossless=True),
    "webp with transparency": lambda: picture("WEBP", mode="RGBA"),
    "webp with moving pictures": lambda: frames("WEBP"),
    "gif": lambda: picture("GIF", mode="P"),
    "gif with moving pictures": lambda: frames("GIF"),
    "jpeg with words after its end": lambda: picture("JPEG") + b"<script>alert('AFTERMARKER')</script>",
}
REFUSED = {
    "nothing": (lambda: b"", "Choose a file"),
    "words": (lambda: b"This is not a picture.", "not a picture we can read"),
    "html that calls itself a picture": (
        lambda: b"<html><script>alert(1)</script></html>",
        "not a picture we can read",
    ),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not a picture we can"),
    "pdf": (lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "not a picture we can read"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "not a picture we can read"),
    "bmp": (lambda: picture("BMP"), "not a picture we can read"),
    "tiff": (lambda: picture("TIFF"), "not a picture we can read"),
    "ico": (lambda: picture("ICO"), "not a picture we can read"),
    "jpeg 2000": (lambda: picture("PPM"), "not a picture we can read"),
    "zip": (lambda: b"PK\x03\x04" + b"\0" * 40, "not a picture we can read"),
    "png, only the first bytes": (lambda: picture()[:20], "picture"),
    "png, cut in the middle": (lambda: picture(size=(900, 900), compress_level=0)[:5000], "damaged"),
    "jpeg, cut in the middle": (lambda: picture("JPEG", size=(900, 900))[:2000], "damaged"),
    "gif, cut in the middle": (lambda: picture("GIF", mode="P")[:60], "picture"),
    "webp, cut in the middle": (lambda: picture("WEBP", size=(900, 900))[:300], "picture"),
    "png with too many pixels": (lambda: bomb(6000, 5000), "25 million pixels"),
    "png that says it is enormous": (lambda: bomb(50_000, 50_000), "25 million pixels"),
    "png of 400 million pixels": (lambda: bomb(20_000, 20_000), "25 million pixels"),
    "png of a line without end": (lambda: bomb(2_000_000_000, 1), "picture"),
    "too many bytes": (lambda: picture() + b"\0" * pictures.LARGEST, "larger than 2 MB"),
}


def test_s43_there_are_forty_sample_files_and_more():
    assert len(TAKEN) + len(REFUSED) >= 40 and features.check("webp")


@pytest.mark.parametrize("sample", list(TAKEN))
@on_one_database
def test_s43_what_is_taken_is_made_anew_and_small(app, sample):
    uploaded = TAKEN[sample]()

    made = pictures.make_picture(uploaded)

    with Image.open(io.BytesIO(made)) as opened:
        assert (opened.format, opened.size, getattr(opened, "n_frames", 1)) == ("WEBP", (256, 256), 1)
        assert not opened.getexif() and "exif" not in opened.info and "icc_profile" not in opened.info
    assert len(made) < 60_000 and b"MARKER" not in made and b"script" not in made


@pytest.mark.parametrize("sample", list(REFUSED))
@on_one_database
def test_s43_what_is_refused_is_refused_in_words(app, sample):
    make, words = REFUSED[sample]

    with app.test_request_context(), pytest.raises(FieldRefused) as refused:
        pictures.make_picture(make())

    assert refused.value.field == "picture" and words in refused.value.message


def test_s43_a_picture_is_not_decoded_before_its_size_is_known(app, monkeypatch):
    def decode(*_arguments):
        raise AssertionError("decoded")

    large = picture("JPEG", size=(5001, 5000), quality=10)
    assert len(large) < pictures.LARGEST
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)

    with app.test_request_context(), pytest.raises(FieldRefused) as refused:
        pictures.make_picture(large)

    assert "25 million pixels" in refused.value.message


def test_a_picture_stands_upright_however_the_camera_was_held(app):
    made = pictures.make_picture(picture("JPEG", size=(200, 200), exif=exif(6)))

    with Image.open(io.BytesIO(made)) as opened:
        top, bottom = opened.convert("RGB").getpixel((128, 20)), opened.convert("RGB").getpixel((128, 235))
    assert top[0] > 150 > top[2] and bottom[2] > 150 > bottom[0]  # left of the film is now above


def test_of_moving_pictures_the_first_is_kept(app):
    with Image.open(io.BytesIO(pictures.make_picture(frames("GIF")))) as opened:
        assert opened.convert("RGB").getpixel((128, 128))[1] > 150


# In front of it


def test_a_member_shows_a_picture_and_takes_it_away(browse):
    user = make_user()
    idea, browser = make_idea("Mark the wells", author=user), browse(user)

    saved = upload(browser, picture())
    name = fresh(user).picture
    page = browse().get(f"/ideas/{idea.id}").text
    image = browse().get(f"/people/{user.id}/picture/{name}.webp")
    browser.post("/account/picture/remove")

    assert saved.status_code == 303 and name
    assert f'src="/people/{user.id}/picture/{name}.webp" alt=""' in page
    assert image.mimetype == "image/webp" and image.data[:4] == b"RIFF"
    assert fresh(user).picture is None and db.session.get(Picture, user.id) is None
    assert browse().get(f"/people/{user.id}/picture/{name}.webp").status_code == 404


def test_another_picture_has_another_address(browse):
    user = make_user()
    browser = browse(user)

    upload(browser, picture())
    first = fresh(user).picture
    upload(browser, picture(size=(50, 900)))

    assert fresh(user).picture != first
    assert browse().get(f"/people/{user.id}/picture/{first}.webp").status_code == 404
    assert db.session.query(Picture).count() == 1


def test_s43_a_picture_is_served_so_that_nothing_in_it_can_run(browse):
    user = make_user()
    upload(browse(user), picture())

    image = browse().get(f"/people/{user.id}/picture/{fresh(user).picture}.webp")

    assert image.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in image.headers["Content-Security-Policy"]
    assert "immutable" in image.headers["Cache-Control"] and "public" not in image.headers["Cache-Control"]
    assert "Set-Cookie" not in image.headers


@pytest.mark.parametrize("name", ["0" * 32, "..%2f..%2fsecret_key", "x" * 300, "None"])
def test_s44_other_names_lead_nowhere(browse, name):
    user, without = make_user(), make_user()
    upload(browse(user), picture())

    assert browse().get(f"/people/{user.id}/picture/{name}.webp").status_code == 404
    assert browse().get(f"/people/{without.id}/picture/{name}.webp").status_code == 404


def test_what_is_wrong_with_a_picture_stands_beside_the_field(browse):
    user = make_user()

    answer = upload(browse(user), b"This is not a picture.")

    assert answer.status_code == 422 and 'id="picture-error"' in answer.text
    assert "Use a PNG, JPEG, WebP or GIF" in answer.text
    assert fresh(user).picture is None


def test_a_form_without_a_file_says_so(browse):
    answer = browse(make_user()).post("/account/picture", data={})

    assert answer.status_code == 422 and "Choose a file" in answer.text


def test_s41_a_file_that_is_too_large_is_refused_in_words(browse):
    browser = browse(make_user())

    a_little = upload(browser, picture() + b"\0" * pictures.LARGEST)
    much = upload(browser, b"\0" * (4 * 1024 * 1024))

    assert a_little.status_code == 422 and "larger than 2 MB" in a_little.text
    assert much.status_code == 422 and "larger than 2 MB" in much.text


def test_s41_only_pictures_may_be_larger_than_other_forms(browse):
    words = "x" * (1024 * 1024 + 10)

    assert browse(make_user()).post("/account/name", data={"name": words}).status_code == 413


def test_pictures_cost_a_list_no_questions_of_its_own(browse):
    idea, people = make_idea(), [make_user() for _ in range(6)]
    for person in people:
        make_comment(idea, author=person)
    browser = browse()
    browser.get(f"/ideas/{idea.id}")
    counts = []
    for number in (0, 6):
        with transaction(wake=False):
            for person in people[:number]:
                pictures.change_picture(db.session.merge(person), picture())
        with count_queries() as asked:
            page = browser.get(f"/ideas/{idea.id}").text
        counts.append(len(asked))
        assert page.count("/picture/") == number

    assert counts[0] == counts[1]
