// Heavy data by digest, one store a page: picture, anchors, candidates cross once.

const STORE_LIMIT = 24; // blobs kept; the least recently used leaves first

class BlobStore {
  constructor() {
    this.blobs = new Map();
    this.offers = new Map();
    this.waiting = new Map();
  }

  put(digest, data) {
    if (data.kind === "choices") return Object.entries(data.anchors).forEach(([name, set]) => this.offers.set(name, set));
    if (!this.blobs.has(digest)) this.blobs.set(digest, readBlob(data));
    this.touch(digest);
    (this.waiting.get(digest) ?? []).forEach((hear) => hear());
    this.waiting.delete(digest);
    while (this.blobs.size > STORE_LIMIT) this.blobs.delete(this.blobs.keys().next().value);
    return undefined;
  }

  drop(digest) {
    this.blobs.delete(digest);
  }

  touch(digest) {
    const blob = this.blobs.get(digest);
    this.blobs.delete(digest);
    this.blobs.set(digest, blob);
    return blob;
  }

  get(digest) {
    if (!this.blobs.has(digest) && this.offers.has(digest)) this.put(digest, this.offers.get(digest));
    return this.blobs.has(digest) ? this.touch(digest) : null;
  }

  // Calls back once, when all are there; at once if they are.
  whenPresent(digests, hear) {
    const missing = digests.find((digest) => !this.blobs.has(digest) && !this.offers.has(digest));
    if (missing === undefined) return hear();
    const again = () => this.whenPresent(digests, hear);
    this.waiting.set(missing, [...(this.waiting.get(missing) ?? []), again]);
    return undefined;
  }
}

function readBlob(data) {
  return { picture: readPicture, anchors: readAnchors, candidates: readCandidates, costs: readCosts }[data.kind](data);
}

function readPicture({ uri, width, height, alt }) {
  const image = new Image();
  const blob = { image, width, height, alt, ready: false };
  blob.loaded = new Promise((done) => {
    image.onload = () => {
      blob.ready = true;
      done();
    };
    image.onerror = done;
  });
  image.src = uri;
  return blob;
}

function readAnchors({ levels, column_first: columnFirst }) {
  return makeAnchors(levels, columnFirst);
}

function readCandidates(data) {
  return {
    count: data.count,
    boxes: column(data.boxes, Float32Array),
    scores: column(data.scores, Float32Array),
    labels: column(data.labels, Uint16Array),
    anchors: column(data.anchors, Int32Array),
    fate: column(data.fate, Uint8Array),
    by: column(data.by, Int32Array),
    overlap: column(data.overlap, Float32Array),
    decayed: column(data.decayed, Float32Array),
    decayedBy: column(data.decayed_by, Int32Array),
    names: data.names,
    floor: data.floor,
    numBelow: data.num_below,
  };
}
