/** Lights and edges: the two small maps that are found on the processor, not on the GPU. */

const CELL = 8;
const LARGEST_BOOST = 12;
const CLIPPED_CODE = 252; // sRGB code of 0.97 in linear light, rounded up

/**
 * Gain of clipped lights on cells of at most 8 x 8 pixels; see render/highlights.py. The cells are all of
 * one size: a pixel on the line between two counts for both. Null when nothing is clipped.
 */
export function lightGain(pixels, width, height, strength) {
  if (strength <= 0) return null;
  const [rows, columns] = [Math.ceil(height / CELL), Math.ceil(width / CELL)];
  const share = new Float32Array(rows * columns);
  const light = new Float32Array(rows * columns);
  const linear = Float32Array.from({ length: 256 }, (_, code) => (code <= 10 ? code / 255 / 12.92 : ((code / 255 + 0.055) / 1.055) ** 2.4));
  const [down, across] = [cellsOf(height, rows), cellsOf(width, columns)];
  const perPixel = (rows * columns) / (height * width);
  const [lightOfRow, shareOfRow] = [new Float64Array(columns + 1), new Float64Array(columns + 1)];
  let any = false;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * 4;
      const brightest = Math.max(pixels[i], pixels[i + 1], pixels[i + 2]);
      const [cell, part] = [across.cell[x], across.part[x]];
      lightOfRow[cell] += part * linear[brightest];
      lightOfRow[cell + 1] += (1 - part) * linear[brightest];
      if (brightest < CLIPPED_CODE) continue;
      shareOfRow[cell] += part;
      shareOfRow[cell + 1] += 1 - part;
      any = true;
    }
    for (const [row, part] of [[down.cell[y], down.part[y]], [down.cell[y] + 1, 1 - down.part[y]]]) {
      if (part === 0) continue;
      for (let column = 0; column < columns; column++) {
        light[row * columns + column] += perPixel * part * lightOfRow[column];
        share[row * columns + column] += perPixel * part * shareOfRow[column];
      }
    }
    lightOfRow.fill(0);
    shareOfRow.fill(0);
  }
  if (!any) return null;
  const window = Math.max(1, roundEven(Math.max(height, width) / 40 / CELL)) | 1;
  const around = boxBlur(share, columns, rows, (window - 1) / 2);
  const lit = boxBlur(light, columns, rows, (window - 1) / 2);
  const room = (value) => Math.min(1, Math.max(0, 1 - value / 0.5));
  const gain = around.map((value, i) => {
    const others = (lit[i] - value) / Math.max(1 - value, 1e-3); // without the lamps' own light
    return 1 + strength * LARGEST_BOOST * room(value) * room(others);
  });
  return { gain, columns, rows };
}

/** The cell in which each pixel of a side begins, and the part of it that lies there; the rest is in the next. */
function cellsOf(side, cells) {
  const cell = Int32Array.from({ length: side }, (_, pixel) => Math.floor((pixel * cells) / side));
  const part = Float64Array.from(cell, (first, pixel) => Math.min(1, ((first + 1) * side - pixel * cells) / cells));
  return { cell, part };
}

const roundEven = (v) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

function boxBlur(values, w, h, r) {
  if (r === 0) return values;
  const out = new Float32Array(values.length);
  const clamp = (v, n) => Math.min(n - 1, Math.max(0, v));
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (let dy = -r; dy <= r; dy++) for (let dx = -r; dx <= r; dx++) sum += values[clamp(y + dy, h) * w + clamp(x + dx, w)];
      out[y * w + x] = sum / (2 * r + 1) ** 2;
    }
  }
  return out;
}

/** Where an edge of depth lies within reach, on 16 x 16 cells of the photo; see layers.py. */
export function edgeReach(depth, step, reachPx) {
  const { width: w, height: h, data } = depth;
  const [hw, hh] = [(w + 1) >> 1, (h + 1) >> 1];
  const high = new Float32Array(hw * hh);
  const low = new Float32Array(hw * hh);
  for (let y = 0; y < hh; y++) {
    const [a, b] = [2 * y * w, Math.min(2 * y + 1, h - 1) * w];
    for (let x = 0; x < hw; x++) {
      const [p, q] = [2 * x, Math.min(2 * x + 1, w - 1)];
      const [d0, d1, d2, d3] = [data[a + p], data[a + q], data[b + p], data[b + q]];
      high[y * hw + x] = Math.max(d0, d1, d2, d3);
      low[y * hw + x] = Math.min(d0, d1, d2, d3);
    }
  }
  const [columns, rows] = [Math.ceil(hw / 8), Math.ceil(hh / 8)];
  const found = new Uint8Array(columns * rows);
  for (let y = 0; y < hh; y++) {
    for (let x = 0; x < hw; x++) {
      const cell = (y >> 3) * columns + (x >> 3);
      if (found[cell]) continue;
      let top = -Infinity, bottom = Infinity;
      for (let j = Math.max(0, y - 1); j <= Math.min(hh - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(hw - 1, x + 1); i++) {
          top = Math.max(top, high[j * hw + i]);
          bottom = Math.min(bottom, low[j * hw + i]);
        }
      }
      if (top - bottom > step) found[cell] = 1;
    }
  }
  return { cells: grow(found, columns, rows, Math.ceil(reachPx / 16) + 1), columns, rows };
}

function grow(found, columns, rows, r) {
  const across = new Uint8Array(found.length);
  const out = new Uint8Array(found.length);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let i = Math.max(0, x - r); i <= Math.min(columns - 1, x + r); i++) across[y * columns + x] |= found[y * columns + i];
    }
  }
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let j = Math.max(0, y - r); j <= Math.min(rows - 1, y + r); j++) out[y * columns + x] |= across[j * columns + x];
      if (out[y * columns + x]) out[y * columns + x] = 255;
    }
  }
  return out;
}
