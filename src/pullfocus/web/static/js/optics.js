/** The lens and the focus, as `pullfocus.lens` and `pullfocus.focus` define them. */

/**
 * @typedef {{width: number, height: number, data: Float32Array, kind: 'relative' | 'metric',
 *   focal_length_mm: number, sensor_width_mm: number}} Depth
 */

/** Pixels of blur radius per unit of disparity; see lens/optics.py. */
export function blurGain(fNumber, focalMm, sensorMm, focusDisparity, longSidePx) {
  const f = focalMm / 1000;
  const closeness = Math.max(1e-3, 1 - f * focusDisparity);
  return ((f * f) / (fNumber * closeness) / 2 / (sensorMm / 1000)) * longSidePx;
}

/** Pixels of blur radius per unit of disparity for settings on a depth map. */
export function lensGain(settings, depth, plane, longSidePx) {
  const focal = settings.focal_length_mm ?? depth.focal_length_mm;
  const sensor = settings.sensor_width_mm ?? depth.sensor_width_mm;
  return blurGain(settings.f_number, focal, sensor, plane, longSidePx);
}

/** Signed blur radius in pixels as a function of disparity; see lens/optics.py. */
export function radiusOf(settings, depth, focus, longSidePx) {
  const gain = lensGain(settings, depth, focus.plane, longSidePx);
  const { near, far } = focus.range ?? { near: focus.plane, far: focus.plane };
  return (d) => gain * (Math.max(0, d - near) + Math.min(0, d - far));
}

/** Turn a sharp range of the settings into {near, far} disparity; null without one. */
export function rangeDisparity(settings, kind) {
  if (!settings.range) return null;
  const [near, far] = settings.range;
  return kind === 'metric' ? { near: 1 / near, far: 1 / far } : { near, far };
}

/** Turn disparities back into the settings' range. */
export function rangeSetting(near, far, kind) {
  return kind === 'metric' ? [1 / Math.max(near, 1e-3), 1 / Math.max(far, 1e-3)] : [near, far];
}

/** The plane and range that settings mean on a depth map. */
export function focusOf(settings, depth) {
  const range = rangeDisparity(settings, depth.kind);
  let plane = settings.focus_disparity ?? 0;
  if (range) plane = Math.min(Math.max(plane, range.far), range.near);
  return { plane, range };
}

/** Place on the ladder of radii; see render/bands.py. */
export function ladderIndex(radius) {
  if (radius < 1) return radius * radius;
  const bend = 1 / 0.12;
  if (radius <= bend) return radius;
  return bend + Math.log(radius / bend) / Math.log(1.12);
}

/** Radius of a rung; the inverse at whole numbers. */
export function rungRadius(rung) {
  const bend = 1 / 0.12;
  return rung <= bend ? rung : bend * 1.12 ** (rung - bend);
}

/** Pyramid level at which a rung is blurred. */
export function rungLevel(rung) {
  const radius = rungRadius(rung);
  return radius < 8 ? 0 : 1 + Math.floor(Math.log2(radius / 8));
}

/**
 * Weighted median of disparity round a point, as focus/at_point.py reads it.
 * @param {Depth} depth @param {number} x @param {number} y
 */
export function disparityAt(depth, x, y, radius = 0.008) {
  const { width: w, height: h, data } = depth;
  const reach = radius * Math.max(h, w);
  const column = Math.min(Math.floor(x * w), w - 1);
  const row = Math.min(Math.floor(y * h), h - 1);
  const r = Math.floor(reach);
  const seen = [];
  let total = 0;
  for (let j = Math.max(0, row - r); j <= Math.min(h - 1, row + r); j++) {
    for (let i = Math.max(0, column - r); i <= Math.min(w - 1, column + r); i++) {
      const weight = Math.exp((-2 * ((j - row) ** 2 + (i - column) ** 2)) / Math.max(reach, 0.5) ** 2);
      seen.push([data[j * w + i], weight]);
      total += weight;
    }
  }
  seen.sort((a, b) => a[0] - b[0]);
  let sum = 0;
  for (const [value, weight] of seen) {
    sum += weight;
    if (sum >= total / 2) return value;
  }
  return seen[seen.length - 1][0];
}

/** Nearest and farthest disparity, and 64 bins between them. */
export function depthHistogram(depth, bins = 64) {
  let low = Infinity;
  let high = -Infinity;
  for (const d of depth.data) {
    if (d < low) low = d;
    if (d > high) high = d;
  }
  if (depth.kind === 'relative') [low, high] = [0, 1];
  const counts = new Float32Array(bins);
  const scale = bins / Math.max(high - low, 1e-9);
  const step = Math.max(1, Math.floor(depth.data.length / 100000));
  for (let i = 0; i < depth.data.length; i += step) {
    counts[Math.min(bins - 1, Math.max(0, Math.floor((depth.data[i] - low) * scale)))] += 1;
  }
  return { low, high, counts };
}

/** Slow, fast, slow: the easing of a focus puller's hand (Perlin's smootherstep). */
export const eased = (t) => t ** 3 * (t * (6 * t - 15) + 10);
