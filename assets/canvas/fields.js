// What a report to Python holds, and how a payload of Python is taken over, field by field.

const FIELDS = {
  objects: (c) => copied(c.objects),
  selected_anchor: (c) => c.selectedAnchor,
  selected_object: (c) => c.selectedObject,
  selected_detection: (c) => c.selectedDetection,
  score: (c) => c.score,
  threshold: (c) => c.threshold,
  ratio: (c) => c.mining,
  travel: (c) => c.travel,
  nms_step: (c) => c.stepAt,
  hidden_levels: (c) => [...c.hiddenLevels].sort((a, b) => a - b),
  hidden_classes: (c) => [...c.hiddenClasses].sort(),
};

const ADOPT = {
  objects: (c, value) => {
    c.objects = value.map((each) => ({ ...each, box: each.box.map(f32) }));
  },
  selected_anchor: (c, value) => {
    c.selectedAnchor = value;
  },
  selected_object: (c, value) => {
    c.selectedObject = value;
  },
  selected_detection: (c, value) => {
    c.selectedDetection = value;
  },
  score: (c, value) => {
    if (!c.sliding) c.score = value;
  },
  threshold: (c, value) => {
    if (!c.sliding) c.threshold = value;
  },
  ratio: (c, value) => {
    if (!c.sliding) c.mining = value;
  },
  travel: (c, value) => {
    c.travel = value;
  },
  nms_step: (c, value) => {
    if (!c.stepMoving && !c.playing) c.stepAt = value;
  },
  hidden_levels: (c, value) => {
    c.hiddenLevels = new Set(value);
  },
  hidden_classes: (c, value) => {
    c.hiddenClasses = new Set(value);
  },
};

// The limits after the score, as Python names them and as they are called here.
const LIMITS = { nms: "nms", top_k: "topK", agnostic: "agnostic", nms_kind: "kind", sigma: "sigma", cap: "cap" };

for (const [theirs, own] of Object.entries(LIMITS)) {
  FIELDS[theirs] = (c) => c.limits?.[own] ?? null;
  ADOPT[theirs] = (c, value) => {
    if (c.limits && !c.sliding) c.limits[own] = value;
  };
}
