"""Every size limit, once. The pages and ``--help`` show these numbers."""

from __future__ import annotations

MAX_PICTURE_BYTES = 10_000_000  # decimal megabytes: what a person calls 10 MB
MAX_PICTURE_MEGAPIXELS = 25.0
MAX_PICTURE_SIDE_PX = 20_000
MIN_PICTURE_SIDE_PX = 8
MAX_PICTURE_ASPECT = 50.0
MAX_UPLOADS = 20  # pictures at a time

MAX_ANNOTATION_BYTES = 1_000_000  # one VOC XML file
MAX_COCO_BYTES = 1_000_000_000  # one COCO JSON file
MAX_CONFIG_BYTES = 1_000_000

MAX_DRAWN_OBJECTS = 20  # objects that travel in a link
MAX_QUERY_VALUE_CHARS = 4_000
MAX_ANCHORS = 100_000  # a free configuration beyond this is refused
MAX_PYRAMID_ANCHORS = 500_000  # of RetinaNet or Faster R-CNN; counted, never drawn

MAX_CHECKPOINT_BYTES = 2_000_000_000
MAX_CHECKPOINT_HEADER_BYTES = 10_000_000  # of a safetensors file; real ones have some kilobytes
MAX_SHIPPED_WEIGHTS_BYTES = 12_000_000
MAX_CLASSES = 2_000  # of a checkpoint; the largest detection sets have about 1,200
MAX_INPUT_SIDE_PX = 4_096  # of a network

MAX_NEGATIVE_RATIO = 10.0  # hard negatives for each positive that the loss lab's slider reaches
MAX_LIVE_CANDIDATES = 2_000  # for which the browser does top-k and NMS while a slider is dragged
MAX_CANVAS_OBJECTS = 1_000  # objects of one picture that the canvas reports back
MAX_CLASS_NAME_CHARS = 64

MAX_SAMPLE_CACHE_BYTES = 2_000_000_000  # decoded pictures that a training run keeps, all its processes
MAX_TEXT_LIST_BYTES = 50_000_000  # a plain text list of boxes; VOC2012's has 1 MB

MAX_LESSON_BYTES = 2_000_000  # of a one-file lesson with its picture

MAX_ARCHIVE_BYTES = 4_000_000_000  # of a download
MAX_ARCHIVE_RATIO = 100  # all files together, against the archive
MAX_ARCHIVE_MEMBERS = 1_000_000
