"""VOC files: good ones read right, bad ones are refused in a sentence that names what is wrong."""

from __future__ import annotations

import re
import time

import pytest

from ssd.data.voc import parse_voc, read_voc
from ssd.errors import BoxError, DataError

FORBIDDEN = r"Traceback|site-packages|File \"/|0x[0-9a-f]{6,}|weights_only"


def an_object(name="dog", box=(48, 240, 195, 371), extra=""):
    corners = "".join(
        f"<{key}>{value}</{key}>" for key, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object><name>{name}</name>{extra}<bndbox>{corners}</bndbox></object>"


def voc(*objects, size=(353, 500), filename="000001.jpg", head=""):
    width, height = size
    return (
        f"{head}<annotation><folder>VOC2007</folder><filename>{filename}</filename>"
        f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        f"{''.join(objects)}</annotation>"
    ).encode()


def parse(data):
    return parse_voc(data, name="street.xml")


def test_picture_000001_reads_as_the_facts_say():
    person = an_object("person", (8, 12, 352, 498), "<difficult>0</difficult><truncated>1</truncated>")

    annotation = parse(voc(an_object(), person))

    assert (annotation.width, annotation.height) == (353, 500)
    assert [each.box_px for each in annotation.objects] == [(47, 239, 195, 371), (7, 11, 352, 498)]
    assert [each.name for each in annotation.objects] == ["dog", "person"]
    assert annotation.problems == ()


def test_difficult_is_read_and_zero_where_it_is_missing():
    flags = [None, 0, 1]

    annotation = parse(
        voc(*(an_object(extra="" if flag is None else f"<difficult>{flag}</difficult>") for flag in flags))
    )

    assert [each.difficult for each in annotation.objects] == [False, False, True]


def test_parts_of_a_person_are_no_objects():
    part = an_object("head", (1, 1, 9, 9)).replace("object>", "part>")
    whole = an_object("person").replace("<name>", f"{part}<name>", 1)

    annotation = parse(voc(whole))

    assert [each.name for each in annotation.objects] == ["person"]
    assert annotation.objects[0].box_px == (47, 239, 195, 371)


def test_decimals_and_spaces_are_numbers():
    annotation = parse(voc(an_object(box=(" 48.5 ", "240", "195.25", "371"))))

    assert annotation.objects[0].box_px == (47.5, 239, 195.25, 371)


def test_a_file_without_objects_is_a_valid_empty_picture():
    assert parse(voc()).objects == ()


def test_a_size_that_is_missing_or_zero_is_unknown():
    assert (parse(b"<annotation/>").width, parse(voc(size=(0, 0))).height) == (0, 0)
    assert len(parse(voc(an_object(), size=(0, 0))).objects) == 1


def test_all_problems_of_a_file_are_listed_at_once_with_object_values_and_rule(tmp_path):
    path = tmp_path / "street.xml"
    path.write_bytes(
        voc(
            an_object(),
            an_object("cat", (195, 240, 48, 371)),
            an_object(box=("nan", 1, 2, 3)),
            an_object(box=(5, 5, 5, 5)),
            an_object(box=("12,5", 1, 20, 30)),
            an_object(box=(1, 1, 9999, 30)),
            an_object("", (1, 1, 9, 9)),
            "<object><name>bus</name></object>",
            an_object(extra="<difficult>yes</difficult>"),
        )
    )
    before = path.read_bytes()

    with pytest.raises(BoxError) as caught:
        read_voc(path)

    message = str(caught.value)
    assert message.startswith("street.xml: object 2: a box must have its right and bottom edges after")
    for part in (
        "[195, 240, 48, 371] (cat)",
        "object 3: x1 is NaN",
        "object 4: a box must have an area, got [5, 5, 5, 5]",
        "object 5: <xmin> (x1) must be a number, got '12,5'",
        "object 6: a box must lie inside the picture of 353 × 500 px, got [1, 1, 9999, 30]",
        "object 7: <name> must be the name of a class",
        "object 8: <bndbox> is missing (bus)",
        "object 9: <difficult> must be 0 or 1, got 'yes'",
    ):
        assert part in message
    assert not re.search(FORBIDDEN, message)
    assert path.read_bytes() == before


def test_good_objects_survive_beside_bad_ones():
    annotation = parse(voc(an_object(box=(5, 5, 5, 5)), an_object("cat"), an_object("bus", (0, 5, 20, 30))))

    assert [each.name for each in annotation.objects] == ["cat", "bus"]
    assert len(annotation.problems) == 1
    assert annotation.clipped == 1


LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l "ha">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)).replace("&l0;", "&l;")
    + "]>"
)
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>'

REFUSED = {
    "A19 billion laughs": (voc(head=LAUGHS), "XML with entity definitions is not accepted."),
    "A19 in UTF-16": (
        voc(head=LAUGHS).decode().encode("utf-16"),
        "XML with entity definitions is not accepted.",
    ),
    "A21 external entity": (
        voc(head=EXTERNAL, filename="&x;"),
        "XML with entity definitions is not accepted.",
    ),
    "A21 parameter entity": (voc(head=PARAMETER), "XML with entity definitions is not accepted."),
    "A22 doctype": (
        voc(head="<!DOCTYPE annotation>"),
        "XML with a <!DOCTYPE> is not accepted; delete the line.",
    ),
    "A24 truncated": (voc(an_object())[:120], "not well-formed XML at line 1, column "),
    "A24 empty": (b"", "not well-formed XML at line 1, column "),
    "A24 HTML": (b"<!doctype html>\n<html><p>404<br></html>", "not well-formed XML at line 1, column 1;"),
    "A24 HTML without doctype": (b"<html><p>404</p></html>", "starts with <annotation>, got <html>"),
    "A24 HTML that is no XML": (b"<html>\n<p>404<br></html>", "not well-formed XML at line 2, column "),
    "A24 JSON": (b'{"images": []}', "not well-formed XML at line 1, column 1;"),
    "A24 NUL": (voc(an_object("d\0og")), "not well-formed XML at line 1, column "),
    "A24 latin-1 said UTF-8": (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotation><name>\xfc</name></annotation>'.encode(
            "latin-1"
        ),
        "not well-formed XML at line 2, column ",
    ),
    "A24 UTF-7": (b'<?xml version="1.0" encoding="utf-7"?><annotation/>', "line 1, column"),
    "A24 unknown encoding": (b'<?xml version="1.0" encoding="klingon"?><annotation/>', "line 1, column"),
    "A25 a path upwards": (
        voc(filename="../../etc/passwd"),
        "must stay inside the data set, got '../../etc/passwd'",
    ),
    "A25 an absolute path": (voc(filename="/etc/passwd"), "must stay inside the data set"),
    "larger than a megabyte": (voc(head="<!--" + "x" * 1_000_000 + "-->"), "may have 1 MB"),
    "a size in words": (voc(size=("wide", 9)), "<width> must be a whole number of pixels, got 'wide'"),
    "a negative size": (voc(size=(9, -9)), "<height> must be a whole number of pixels, got '-9'"),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_used_is_refused_at_once(data, sentence):
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        parse(data)

    assert time.perf_counter() - start < 0.5
    assert str(caught.value).startswith("street.xml: ")
    assert sentence in str(caught.value)
    assert not re.search(FORBIDDEN, str(caught.value))


def test_an_external_entity_is_not_even_opened(monkeypatch, tmp_path):
    (tmp_path / "canary").write_text("secret")
    head = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{tmp_path}/canary">]>'
    monkeypatch.setattr("builtins.open", lambda *args, **kwargs: pytest.fail("a file was opened"))

    with pytest.raises(DataError) as caught:
        parse(voc(an_object("&x;"), head=head))

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_an_encoding_that_the_first_line_names_is_read(encoding):
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    data = voc(an_object("собака"), head=head).decode().encode(encoding)

    assert parse(data).objects[0].name == "собака"


def test_a_file_that_is_missing_or_too_large_is_named_without_its_folder(tmp_path):
    (tmp_path / "large.xml").write_bytes(bytes(1_000_001))

    with pytest.raises(
        DataError, match=r"^gone.xml: the annotation cannot be read \(No such file or directory\)"
    ):
        read_voc(tmp_path / "gone.xml")
    with pytest.raises(DataError, match=r"^large.xml: an annotation file may have 1 MB, got 1.0 MB"):
        read_voc(tmp_path / "large.xml")
