"""Every rule of the data doctor once: how bad it is, what must hold, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

from ssd.checks.records import Problem, ProblemGroup, Severity
from ssd.limits import MAX_PICTURE_BYTES, MAX_PICTURE_MEGAPIXELS

__all__ = ["FEW_OBJECTS", "RULES", "SMALL_SIDE_PX", "Rule", "grouped", "rule_of"]

FEW_OBJECTS = 10  # a class with fewer cannot be learned, and its AP means nothing
SMALL_SIDE_PX = 16.0  # facts: smaller squares reach jaccard .5 with no anchor of ssd300-voc or ssd300-coco


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        severity: of what breaks it.
        title: what must hold.
        remedy: how to mend what breaks it.
    """

    severity: Severity
    title: str
    remedy: str


_REDRAW = "draw the box again, or delete the object"
_EXPORT = "export the annotations again, or delete the entry"

RULES: dict[str, Rule] = {
    "json": Rule("error", "a JSON file must be well-formed and hold images, annotations, categories",
                 "export or copy the file again"),
    "xml": Rule("error", "an annotation must be a well-formed VOC file", "export or copy the file again"),
    "xml-entities": Rule("error", "an annotation must not define entities", "delete the definitions"),
    "xml-doctype": Rule("error", "an annotation must not have a <!DOCTYPE>", "delete the line"),
    "unreadable": Rule("error", "every file must be readable", "change its permissions or copy it again"),
    "too-large": Rule("error", "an annotation file must be below the limit", "split the file"),
    "file-name": Rule("error", "a file name must stay inside the data set",
                      "write it relative to the data set's folder"),
    "size": Rule("error", "a size must be a whole number of pixels", "write the picture's width and height"),
    "row": Rule("error", "a line must have what its format asks for", "correct or delete the line"),
    "categories": Rule("error", "every file must name the same categories", "use one list of categories"),
    "no-picture": Rule("error", "every picture that is named must be there",
                       "add the picture, or take its name out"),
    "no-annotation": Rule("error", "every picture of a split must have its annotation",
                          "add the annotation, or take the name out of the split"),
    "no-size": Rule("error", "the size of every picture must be known", "add the picture or its size"),
    "bad-picture": Rule(
        "error", "a picture must be a whole JPEG, PNG, WebP or BMP of at most "
        f"{MAX_PICTURE_BYTES / 1e6:.0f} MB and {MAX_PICTURE_MEGAPIXELS:g} megapixels",
        "copy, download or export it again, smaller where it is too large"),
    "size-mismatch": Rule("error", "the annotation's size must be the picture's",
                          "use the picture that was annotated, or correct the boxes"),
    "size-unrotated": Rule("error", "boxes must be drawn on the picture as EXIF turns it",
                           "turn the boxes, or save the picture without its EXIF rotation"),
    "not-finite": Rule("error", "coordinates must be finite numbers", _REDRAW),
    "no-number": Rule("error", "a box must be four numbers", _EXPORT),
    "no-box": Rule("error", "an object must have a box", _EXPORT),
    "inverted": Rule("error", "a box must have its right and bottom edges after its left and top ones",
                     "swap the corners"),
    "no-area": Rule("error", "a box must have an area", _REDRAW),
    "too-small": Rule("error", "a box must be at least a pixel wide and high", _REDRAW),
    "outside": Rule("error", "a box must lie inside its picture", _REDRAW),
    "flag": Rule("error", "a flag must be 0 or 1", "write 0 or 1"),
    "class-name": Rule("error", "an object must have the name of a class, and not background",
                       "name its class"),
    "category": Rule("error", "an object's class must be one that is listed", "correct its number"),
    "image": Rule("error", "an annotation must belong to an image that is listed", _EXPORT),
    "double-id": Rule("error", "an annotation's id must be its own", _EXPORT),
    "unknown-class": Rule("error", "a class must be one of those that are known",
                          "rename the class, or name it with --classes too"),
    "class-variant": Rule("error", "a class must be spelt in one way", "use one spelling in every file"),
    "misspelt-class": Rule("warning", "a rare class should not be spelt almost as a frequent one",
                           "rename it, or name it with --classes where it is right"),
    "few-objects": Rule("warning", f"a class should have {FEW_OBJECTS} objects or more",
                        "add pictures of the class, or leave the class out"),
    "no-objects": Rule("warning", "a class that is named should have an object",
                       "add pictures of the class, or take its name out"),
    "split-without": Rule("warning", "a class should have objects in every split that measures or trains",
                          "move pictures of the class into the split"),
    "leak": Rule("warning", "no picture should be in two of train, val and test",
                 "keep it in one of the splits"),
    "duplicate-picture": Rule("warning", "every picture should be there once", "delete the copies"),
    "listed-twice": Rule("warning", "every picture should be listed once", "join the two entries"),
    "identical-box": Rule("warning", "no box should stand twice in a picture", "delete one of them"),
    "stray-picture": Rule("warning", "every picture of the folder should have an annotation",
                          "annotate it, an empty annotation where nothing is on it, or take it away"),
    "wrong-suffix": Rule("warning", "a picture's name should end as its format",
                         "rename it; many programs trust the ending"),
    "size-zero": Rule("warning", "an annotation should say how large its picture is",
                      "write width and height; here the picture's own are taken"),
    "passed-over": Rule("warning", "a data set should hold plain files of its own",
                        "copy the files into the folder, each under a name of its own"),
    "clipped": Rule("note", "a box reaches up to a pixel over the border; it is clipped",
                    "none is needed; VOC counts from 1, so 0 is a pixel outside"),
    "decimals": Rule("note", "coordinates of this layout are usually whole pixels",
                     "none is needed; decimals are kept"),
    "small": Rule("note", f"at training size the object is smaller than {SMALL_SIDE_PX:g} px",
                  "train at a larger size, or with smaller anchors; see coverage"),
    "one-class": Rule("note", "there is one class only", "none is needed; training allows it"),
    "difficult": Rule("note", "difficult objects are neither learned nor counted", "none is needed"),
    "crowd": Rule("note", "crowds are neither learned nor counted", "none is needed"),
    "size-unknown": Rule("note", "without a size the boxes are no shares of the picture",
                         "put the pictures, or a list of their sizes, beside the boxes"),
    "pictures-absent": Rule("note", "a list of boxes may come without its pictures", "none is needed"),
}  # fmt: skip
_OTHER = Rule("error", "what is read must follow its format", "correct or delete it")


def rule_of(name: str) -> Rule:
    """The rule of that name.

    Args:
        name: its short name.

    Returns:
        The rule; one that a reader has and this table has not is an error as well.

    Example:
        >>> rule_of("no-area").severity
        'error'
    """
    return RULES.get(name, _OTHER)


def grouped(problems: tuple[Problem, ...]) -> tuple[ProblemGroup, ...]:
    """Problems by rule, errors first, in the order of the table.

    Args:
        problems: of a report.

    Returns:
        A group for each rule that is broken.

    Example:
        >>> grouped(())
        ()
    """
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.rule, []).append(problem)
    return tuple(
        ProblemGroup(name, rule_of(name).severity, rule_of(name).title, rule_of(name).remedy, tuple(of_rule))
        for name, of_rule in found.items()
    )
