// Words: the sentences of ssd/figures/sentences.py, titles of objects, tooltips' lines.

const STATES = ["negative", "positive", "forced", "ignored", "hard_negative", "plain", "cell", "hidden"];
const STATE = Object.fromEntries(STATES.map((name, i) => [name, i]));

function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

// Names that occur twice carry a number.
function numbered(names) {
  const total = new Map(), seen = new Map();
  names.forEach((name) => total.set(name, (total.get(name) ?? 0) + 1));
  return names.map((name) => {
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return total.get(name) > 1 ? filled(SENTENCES.number, { name, number: seen.get(name) }) : name;
  });
}

function objectSentence(found, level, titles, g) {
  const count = found.counts[g], forced = found.forcedCounts[g], at = found.bestAnchor[g];
  if (count === 0 && (at < 0 || found.bestOverlap[g] === 0)) return filled(SENTENCES.nowhere, { name: titles[g] });
  const taker = found.matched[at];
  let kind = forced === count ? "forced" : forced ? "mixed" : "matched";
  if (count === 0) kind = taker >= 0 ? "orphan" : "lost";
  return filled(SENTENCES[kind], {
    name: titles[g],
    count,
    forced,
    anchors: SENTENCES[count === 1 ? "one" : "many"],
    best: twoDecimals(found.bestOverlap[g]),
    level: level[at],
    taker: taker >= 0 ? titles[taker] : "",
  });
}

function plural(count, word) {
  return `${withCommas(count)} ${word}${count === 1 ? "" : "s"}`;
}

function crc32(text) {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

// A colour for each class, as ssd.figures.colours.class_colours gives them: by the name,
// and the next free one where two names meet.
function classColours(names) {
  const colours = new Map(), used = new Set(), total = CLASS_COLOURS.length;
  for (const { name, start } of names.map((each) => ({ name: each, start: crc32(each) })).sort(byStart)) {
    if (colours.has(name)) continue;
    let at = start % total;
    while (used.size < total && used.has(at)) at = (at + 1) % total;
    used.add(at);
    colours.set(name, CLASS_COLOURS[at]);
  }
  return colours;
}

function byStart(a, b) {
  return a.start - b.start;
}

function sizeInPixels(box, width, height) {
  const w = (box[2] - box[0]) * width, h = (box[3] - box[1]) * height;
  return `${Math.round(w)} × ${Math.round(h)} px`;
}
