/** Pictures of depth: the magma colours, and what is sharp glowing. */

// Source: matplotlib's magma (CC0), sampled at 17 places.
const STOPS = [
  [0, 0, 4], [11, 9, 36], [29, 17, 71], [53, 18, 105], [81, 18, 124], [108, 29, 129], [136, 38, 129],
  [164, 48, 126], [192, 58, 118], [219, 71, 106], [239, 92, 96], [249, 120, 93], [254, 150, 105],
  [254, 180, 123], [254, 208, 146], [252, 236, 174], [252, 253, 191],
];

const table = new Uint8ClampedArray(256 * 4);
for (let i = 0; i < 256; i++) {
  const at = (i / 255) * (STOPS.length - 1);
  const k = Math.min(STOPS.length - 2, Math.floor(at));
  for (let c = 0; c < 3; c++) table[i * 4 + c] = STOPS[k][c] + (STOPS[k + 1][c] - STOPS[k][c]) * (at - k);
  table[i * 4 + 3] = 255;
}

/** Colour of a value 0 (far) .. 1 (near), as a CSS colour. */
export function magma(value) {
  const i = Math.max(0, Math.min(255, Math.round(value * 255))) * 4;
  return `rgb(${table[i]} ${table[i + 1]} ${table[i + 2]})`;
}

/**
 * Paint a depth map in magma onto a canvas of its own size; a box repaints only that part.
 * @param {HTMLCanvasElement} canvas
 * @param {import('./optics.js').Depth} depth
 * @param {{low: number, high: number}} scale
 */
export function paintDepth(canvas, depth, scale, box = { left: 0, top: 0, right: depth.width, bottom: depth.height }) {
  if (canvas.width !== depth.width || canvas.height !== depth.height) {
    canvas.width = depth.width;
    canvas.height = depth.height;
  }
  const [w, h] = [box.right - box.left, box.bottom - box.top];
  if (w <= 0 || h <= 0) return;
  const image = new ImageData(w, h);
  const words = new Uint32Array(image.data.buffer);
  const colours = new Uint32Array(table.buffer);
  const gain = 255 / Math.max(scale.high - scale.low, 1e-9);
  for (let y = 0; y < h; y++) {
    let from = (y + box.top) * depth.width + box.left;
    for (let x = 0; x < w; x++, from++) {
      const value = (depth.data[from] - scale.low) * gain;
      words[y * w + x] = colours[value < 0 ? 0 : value > 255 ? 255 : value | 0];
    }
  }
  canvas.getContext('2d')?.putImageData(image, box.left, box.top);
}

/**
 * Paint a glow where the blur radius is below a pixel.
 * @param {HTMLCanvasElement} canvas @param {import('./optics.js').Depth} depth
 * @param {(disparity: number) => number} radius
 */
export function paintPeaking(canvas, depth, radius) {
  const step = Math.max(1, Math.floor(depth.width / 800));
  const [w, h] = [Math.floor(depth.width / step), Math.floor(depth.height / step)];
  canvas.width = w;
  canvas.height = h;
  const image = new ImageData(w, h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const r = Math.abs(radius(depth.data[y * step * depth.width + x * step]));
      const at = (y * w + x) * 4;
      image.data[at] = 80;
      image.data[at + 1] = 255;
      image.data[at + 2] = 150;
      image.data[at + 3] = r < 1.5 ? 150 * (1 - r / 1.5) : 0;
    }
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
