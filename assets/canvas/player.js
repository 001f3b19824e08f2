// The row under the picture that plays NMS: back, play, on, to any step; and its keys.

const STEP_MS = 900; // between two steps of a short play
const PLAY_MS = 40_000; // of a long one altogether, as far as the eye can follow
const REST_MS = 500; // after this long a step is told to Python, and stands in the link

const stepping = {
  canStep() {
    return this.payload.mode === "detections" && Boolean(this.limits) && this.fromBrowser && this.counts.above > 0;
  },

  toggleSteps() {
    if (this.stepAt !== null) this.goToStep(null);
    else if (this.canStep()) this.goToStep(0);
  },

  goToStep(step) {
    if (step === null) this.stopPlaying();
    this.stepAt = step === null ? null : limited(step, 0, (this.steps?.count ?? Infinity) - 1);
    this.stepMoving = true;
    clearTimeout(this.stepResting);
    this.stepResting = setTimeout(() => {
      if (this.gone || this.playing) return;
      this.stepMoving = false;
      this.report("nms_step");
    }, step === null ? 0 : REST_MS);
    this.request();
  },

  stepBy(by) {
    this.stopPlaying();
    this.goToStep(this.stepAt + by);
  },

  // To the next box that stays, or back to the one before.
  stepTurn(by) {
    if (!this.steps) return;
    this.stopPlaying();
    const { starts, count } = this.steps, turn = this.steps.turnOf(this.stepAt);
    const next = by > 0 ? (starts[turn + 1] ?? count - 1) : (starts[starts[turn] < this.stepAt ? turn : turn - 1] ?? 0);
    this.goToStep(next);
  },

  togglePlay() {
    if (this.playing) {
      this.stopPlaying();
      this.goToStep(this.stepAt);
      return;
    }
    if (!this.steps) return;
    if (this.stepAt >= this.steps.count - 1) this.stepAt = 0;
    const pause = limited(PLAY_MS / this.steps.count, 60, STEP_MS);
    this.playing = setInterval(() => {
      if (!this.steps || this.stepAt >= this.steps.count - 1) this.stopPlaying();
      this.goToStep(this.stepAt + (this.playing ? 1 : 0));
    }, pause);
    this.goToStep(this.stepAt + 1);
  },

  stopPlaying() {
    clearInterval(this.playing);
    this.playing = null;
    this.request();
  },
};

function buildPlayer(c) {
  const row = element("div", "ssd-player-row", c.player);
  const button = (icon, label, act) => iconButton(row, icon, label, act);
  button("first", "To the start (Home)", () => c.goToStep(0));
  button("turnBack", "To the box before that stays (Page up)", () => c.stepTurn(-1));
  c.backButton = button("back", "One step back (←)", () => c.stepBy(-1));
  c.playButton = button("play", "Play (Space)", () => c.togglePlay());
  c.onButton = button("on", "One step (→)", () => c.stepBy(1));
  button("turnOn", "To the next box that stays (Page down)", () => c.stepTurn(1));
  button("last", "To the end (End)", () => c.goToStep(Infinity));
  c.stepSlider = element("input", "", element("label", "ssd-score", row), { type: "range", min: 0, step: 1, "aria-label": "Step of NMS" });
  c.stepSlider.addEventListener("input", () => {
    c.stopPlaying();
    c.goToStep(Number(c.stepSlider.value));
  });
  c.stepCount = element("span", "ssd-step-count", row);
  button("close", "Leave NMS step by step (Escape)", () => c.goToStep(null));
  c.stepWords = element("p", "ssd-step-words", c.player);
  c.player.hidden = true;
}

// The steps of the present fates, and the state after the present one.
function deriveSteps(c) {
  const can = c.stepAt !== null && c.canStep();
  if (!can) {
    c.steps = null;
    c.stepState = null;
    if (c.playing) c.stopPlaying();
    return;
  }
  c.steps ??= new NmsSteps(c.candidates, c.nmsTable, c.counts.above, { ...c.limits, score: c.score });
  c.stepAt = Math.min(c.stepAt, c.steps.count - 1);
  if (c.stepState?.of !== c.steps || c.stepState.step !== c.stepAt) {
    c.stepState = Object.assign(c.steps.stateAt(c.stepAt), { of: c.steps, step: c.stepAt });
  }
  const hidden = c.candidates.names.map((name) => c.hiddenClasses.has(name));
  c.shownInSteps = [];
  for (let i = 0; i < c.counts.above; i += 1) if (!hidden[c.candidates.labels[i] - 1]) c.shownInSteps.push(i);
}

function updatePlayer(c) {
  const open = c.stepAt !== null && c.payload.mode === "detections" && !c.payload.static;
  c.player.hidden = !open;
  if (!open) return;
  const most = (c.steps?.count ?? 1) - 1;
  mark(c.stepSlider, "max", most);
  c.stepSlider.value = String(c.stepAt);
  c.stepSlider.style.setProperty("--at", `${most ? (c.stepAt / most) * 100 : 0}%`);
  say(c.stepCount, c.steps ? `step ${withCommas(c.stepAt)} of ${withCommas(most)}` : "");
  const words = c.steps ? stepSentence(c) : cannotStep(c);
  say(c.stepWords, words);
  mark(c.stepWords, "aria-live", c.playing ? "off" : "polite");
  c.backButton.disabled = !c.steps || c.stepAt === 0;
  c.onButton.disabled = !c.steps || c.stepAt === most;
  c.playButton.disabled = !c.steps;
  const label = c.playing ? "Pause (Space)" : "Play (Space)";
  if (c.playButton.getAttribute("aria-label") !== label) {
    mark(c.playButton, "aria-label", label);
    c.playButton.title = label;
    c.playButton.replaceChildren();
    icon(c.playing ? "pause" : "play", c.playButton);
  }
}

function cannotStep(c) {
  if (!c.counts.above) return filled(SENTENCES.nms_none, { score: shortNumber(c.score) });
  return filled(SENTENCES.nms_many, { most: withCommas(LIVE_CANDIDATES) });
}

// True where the key moved the steps.
function stepKey(c, event) {
  const keys = {
    ArrowRight: () => c.stepBy(1),
    ArrowLeft: () => c.stepBy(-1),
    PageDown: () => c.stepTurn(1),
    PageUp: () => c.stepTurn(-1),
    Home: () => c.goToStep(0),
    End: () => c.goToStep(Infinity),
    " ": () => c.togglePlay(),
    Escape: () => c.goToStep(null),
  };
  if (c.stepAt === null || !keys[event.key]) return false;
  keys[event.key]();
  return true;
}
