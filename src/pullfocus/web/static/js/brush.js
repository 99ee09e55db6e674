/** Brush: mends a depth map by hand: nearer, farther, smooth, snap to edge, fill a box. */

/** @typedef {import('./optics.js').Depth} Depth */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box in pixels */

/** Pixels that a dab of the brush touches. */
export function dabBox(depth, x, y, radius) {
  const long = Math.max(depth.width, depth.height);
  const [cx, cy, r] = [x * depth.width, y * depth.height, Math.max(1, radius * long)];
  return {
    cx, cy, r,
    left: Math.max(0, Math.floor(cx - r)), right: Math.min(depth.width, Math.ceil(cx + r)),
    top: Math.max(0, Math.floor(cy - r)), bottom: Math.min(depth.height, Math.ceil(cy + r)),
  };
}

/**
 * Touch the map once.
 * @param {Depth} depth @param {'nearer' | 'farther' | 'smooth' | 'snap'} tool
 * @param {{x: number, y: number, radius: number, force: number}} dab
 * @param {{low: number, high: number}} scale
 * @param {ImageData | null} guide the photo, for "snap"
 * @returns {Box}
 */
export function dabOn(depth, tool, dab, scale, guide) {
  const box = dabBox(depth, dab.x, dab.y, dab.radius);
  if (tool === 'nearer' || tool === 'farther') shift(depth, box, dab.force, scale, tool === 'nearer' ? 1 : -1);
  else if (tool === 'smooth') smooth(depth, box, dab.force);
  else snap(depth, box, dab.force, guide);
  return box;
}

function falloff(box, x, y) {
  const d = Math.hypot(x + 0.5 - box.cx, y + 0.5 - box.cy) / box.r;
  return d >= 1 ? 0 : (1 - d * d) ** 2;
}

function shift(depth, box, force, scale, sign) {
  const amount = sign * force * 0.06 * (scale.high - scale.low);
  const top = depth.kind === 'relative' ? 1 : Infinity;
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const i = y * depth.width + x;
      depth.data[i] = Math.min(top, Math.max(0, depth.data[i] + amount * falloff(box, x, y)));
    }
  }
}

function smooth(depth, box, force) {
  const { width: w, height: h, data } = depth;
  const reach = Math.max(1, Math.round(box.r / 6));
  const before = data.slice(box.top * w, box.bottom * w);
  const read = (x, y) => before[(Math.min(box.bottom - 1, Math.max(box.top, y)) - box.top) * w + Math.min(w - 1, Math.max(0, x))];
  for (let y = box.top; y < Math.min(h, box.bottom); y++) {
    for (let x = box.left; x < box.right; x++) {
      const share = Math.min(1, 2 * falloff(box, x, y) * force);
      if (share <= 0) continue;
      let sum = 0;
      for (let k = 0; k < 9; k++) sum += read(x + ((k % 3) - 1) * reach, y + (((k / 3) | 0) - 1) * reach);
      data[y * w + x] += share * (sum / 9 - data[y * w + x]);
    }
  }
}

/** Each pixel takes the depth of those round it that have its colour: a joint bilateral median. */
function snap(depth, box, force, guide) {
  if (!guide) return smooth(depth, box, force);
  const { width: w, data } = depth;
  const before = data.slice(box.top * w, box.bottom * w);
  const step = Math.max(1, Math.round(box.r / 5));
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const share = falloff(box, x, y) * force;
      if (share <= 0.01) continue;
      const own = (y * w + x) * 4;
      let sum = 0;
      let total = 0;
      for (let dy = -2; dy <= 2; dy++) {
        for (let dx = -2; dx <= 2; dx++) {
          const qx = Math.min(box.right - 1, Math.max(box.left, x + dx * step));
          const qy = Math.min(box.bottom - 1, Math.max(box.top, y + dy * step));
          const other = (qy * w + qx) * 4;
          const difference = Math.abs(guide.data[own] - guide.data[other]) +
            Math.abs(guide.data[own + 1] - guide.data[other + 1]) +
            Math.abs(guide.data[own + 2] - guide.data[other + 2]);
          const weight = Math.exp(-difference / 28);
          sum += weight * before[(qy - box.top) * w + qx];
          total += weight;
        }
      }
      data[y * w + x] += share * (sum / total - data[y * w + x]);
    }
  }
}

/**
 * Fill a box with one distance: the nearer half's median inside it, up to the colour's edges.
 * @param {Depth} depth @param {Box} box @param {ImageData | null} guide
 */
export function fillBox(depth, box, guide) {
  const { width: w, data } = depth;
  const values = [];
  for (let y = box.top; y < box.bottom; y++) for (let x = box.left; x < box.right; x++) values.push(data[y * w + x]);
  if (!values.length) return;
  values.sort((a, b) => a - b);
  const value = values[Math.floor(values.length * 0.75)];
  const middle = meanColour(box, guide, w);
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const i = y * w + x;
      data[i] += (value - data[i]) * (guide ? likeness(guide, i, middle) : 1);
    }
  }
}

function meanColour(box, guide, w) {
  const sum = [0, 0, 0, 0];
  if (!guide) return sum;
  const [mx, my] = [(box.right - box.left) / 4, (box.bottom - box.top) / 4];
  for (let y = Math.floor(box.top + my); y < box.bottom - my; y++) {
    for (let x = Math.floor(box.left + mx); x < box.right - mx; x++) {
      for (let c = 0; c < 3; c++) sum[c] += guide.data[(y * w + x) * 4 + c];
      sum[3] += 1;
    }
  }
  return sum.map((v) => v / Math.max(1, sum[3]));
}

function likeness(guide, i, colour) {
  let difference = 0;
  for (let c = 0; c < 3; c++) difference += Math.abs(guide.data[i * 4 + c] - colour[c]);
  return 1 / (1 + Math.exp((difference - 150) / 20));
}

/** Copy a box of the map, and put it back: the steps of undo. */
export function cut(depth, box) {
  const w = box.right - box.left;
  const piece = new Float32Array(w * (box.bottom - box.top));
  for (let y = box.top; y < box.bottom; y++) {
    piece.set(depth.data.subarray(y * depth.width + box.left, y * depth.width + box.right), (y - box.top) * w);
  }
  return piece;
}

export function paste(depth, box, piece) {
  const w = box.right - box.left;
  for (let y = box.top; y < box.bottom; y++) {
    depth.data.set(piece.subarray((y - box.top) * w, (y - box.top + 1) * w), y * depth.width + box.left);
  }
}

/** The smallest box that holds both. */
export function join(a, b) {
  if (!a) return { left: b.left, top: b.top, right: b.right, bottom: b.bottom };
  return {
    left: Math.min(a.left, b.left), top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right), bottom: Math.max(a.bottom, b.bottom),
  };
}
