// Levels → anchors as ssd/anchors.py makes them, equal to it bit by bit (tests/browser/test_parity.py):
// in double precision, rounded once to float32.

function countOf(levels) {
  return levels.reduce((sum, { grid, shapes }) => sum + grid[0] * grid[1] * shapes.length, 0);
}

// The first anchor of the cell in the middle of a level.
function middleAnchor(levels, k, columnFirst) {
  const [columns, rows] = levels[k].grid;
  const column = Math.floor(columns / 2), row = Math.floor(rows / 2);
  const cell = columnFirst ? column * rows + row : row * columns + column;
  return countOf(levels.slice(0, k)) + cell * levels[k].shapes.length;
}

function makeAnchors(levels, columnFirst) {
  const perLevel = levels.map(({ grid, shapes }) => grid[0] * grid[1] * shapes.length);
  const count = countOf(levels);
  const made = {
    count,
    boxes: new Float32Array(4 * count),
    level: new Uint8Array(count),
    row: new Uint16Array(count),
    column: new Uint16Array(count),
    shape: new Uint16Array(count),
    grids: levels.map(({ grid }) => grid),
    steps: levels.map(({ step }) => step),
    perLevel,
  };
  let at = 0;
  levels.forEach((level, k) => {
    const [columns, rows] = level.grid;
    const [outer, inner] = columnFirst ? [columns, rows] : [rows, columns];
    for (let i = 0; i < outer; i += 1) {
      for (let j = 0; j < inner; j += 1) at = makeCell(made, at, level, k, columnFirst ? [i, j] : [j, i]);
    }
  });
  made.table = new MatchTable(made.boxes);
  return made;
}

function makeCell(made, at, { step, first, shapes }, k, [column, row]) {
  const x = (column + first) * step[0], y = (row + first) * step[1];
  shapes.forEach(([width, height], shape) => {
    made.boxes.set([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 4 * (at + shape));
    made.level[at + shape] = k;
    made.row[at + shape] = row;
    made.column[at + shape] = column;
    made.shape[at + shape] = shape;
  });
  return at + shapes.length;
}

function configLevels(config) {
  return config.sizes_px ? sizeLevels(config) : gridLevels(config);
}

// The levels of grids, zooms and ratios, as ssd.config.GridAnchors has them.
function gridLevels({ grids, zooms, ratios }) {
  return grids.map((grid) => ({
    grid: [grid, grid],
    step: [1 / grid, 1 / grid],
    first: 0.5,
    shapes: zooms.flatMap((zoom) => ratios.map(([w, h]) => [(zoom * w) / grid, (zoom * h) / grid])),
  }));
}

// The levels of sizes and ratios, as ssd.config.SizeAnchors has them.
function sizeLevels(config) {
  const [width, height] = config.picture_wh;
  return config.grids_wh.map((grid, k) => {
    const size = config.sizes_px[k], extra = config.extra_sizes_px[k];
    const sides = [[size, size], [extra, extra]];
    for (const ratio of config.ratios[k]) {
      const root = Math.sqrt(ratio);
      sides.push([size * root, size / root], [size / root, size * root]);
    }
    const shares = sides.map(([w, h]) => [w / width, h / height]);
    const pixels = config.steps_px?.[k];
    return {
      grid,
      step: pixels ? [pixels / width, pixels / height] : [1 / grid[0], 1 / grid[1]],
      first: 0.5,
      shapes: config.clip === "size" ? shares.map((wh) => wh.map((side) => Math.min(side, 1))) : shares,
    };
  });
}
