// One anchor on its way to its box: the decode itself at a share of the predicted code.

const MAX_LOG_RATIO = Math.log(1000 / 16);

// ssd.coding.decode for one anchor: at 0 the anchor, at 1 the decoded box.
function decodedAt({ anchor, cell, code, coder, variances }, share) {
  const [cx, cy, w, h] = anchor, [tx, ty, tw, th] = code.map((value) => f32(value * share));
  let x, y, width, height;
  if (coder === "tanh") {
    x = f32(cx + f32(f32(Math.tanh(tx) / 2) * cell[0]));
    y = f32(cy + f32(f32(Math.tanh(ty) / 2) * cell[1]));
    width = f32(f32(Math.tanh(tw) / 2 + 1) * w);
    height = f32(f32(Math.tanh(th) / 2 + 1) * h);
  } else {
    x = f32(cx + f32(f32(tx * f32(variances[0])) * w));
    y = f32(cy + f32(f32(ty * f32(variances[0])) * h));
    width = f32(w * f32(Math.exp(Math.min(f32(tw * f32(variances[1])), MAX_LOG_RATIO))));
    height = f32(h * f32(Math.exp(Math.min(f32(th * f32(variances[1])), MAX_LOG_RATIO))));
  }
  return [f32(x - width / 2), f32(y - height / 2), f32(x + width / 2), f32(y + height / 2)];
}

function jaccardOf(a, b) {
  const pair = Float32Array.from(b);
  return jaccardRow(a, pair, areas(pair), new Float32Array(1))[0];
}

function paintFollowed(pen, c, labels) {
  const { follow } = c.payload;
  if (!follow || isStale(c) || [...c.changed].some((name) => name.startsWith("selected_"))) return;
  const start = decodedAt(follow, 0), now = decodedAt(follow, c.travel);
  drawBox(pen, c.view, start, { ...LINES.cell, width_px: 1.5, dash_px: [2, 3] });
  if (c.travel < 1) drawBox(pen, c.view, now, { ...LINES.cell, halo: 0.7 });
  labels.draw(start, `anchor ${withCommas(follow.index)}`, { background: "rgba(18, 22, 30, 0.92)", edge: LINES.cell.colour });
}

function buildFollow(c, main) {
  c.followRow = element("label", "ssd-score ssd-follow", main);
  c.followRow.hidden = true;
  c.followWord = element("span", "", c.followRow);
  const input = element("input", "", c.followRow, { type: "range", min: 0, max: 1, step: 0.01, "aria-label": "From anchor to decoded box" });
  c.followValue = element("output", "", c.followRow);
  c.followInput = input;
  input.addEventListener("input", (event) => {
    c.travel = Number(input.value);
    c.request(event.timeStamp);
  });
  input.addEventListener("change", () => c.report("travel"));
}

function updateFollow(c) {
  const { follow } = c.payload;
  c.followRow.hidden = !follow || c.payload.static;
  if (c.followRow.hidden) return;
  say(c.followWord, `anchor ${withCommas(follow.index)} → its box`);
  if (Number(c.followInput.value) !== c.travel) c.followInput.value = String(c.travel);
  c.followInput.style.setProperty("--at", `${c.travel * 100}%`);
  const near = follow.object ? `, jaccard ${twoDecimals(jaccardOf(decodedAt(follow, c.travel), follow.object))}` : "";
  say(c.followValue, `${Math.round(c.travel * 100)} % of the code${near}`);
}
