/** Kernel: the aperture at a radius as taps, neighbours joined where bilinear reading allows. */

const STEPS = 8;
const STEPS_BELOW_4_PX = 32;
const JOIN_ERROR = 0.2;

/** Brightness of the aperture's image at a point in units of its radius; see lens/aperture.py. */
export function apertureDensity(x, y, lens) {
  const u = lens.squeeze >= 1 ? x * lens.squeeze : x;
  const v = lens.squeeze >= 1 ? y : y / lens.squeeze;
  const rho2 = u * u + v * v;
  if (rho2 > 1 || (lens.ring > 0 && rho2 < lens.ring ** 2)) return 0;
  if (lens.blades && Math.sqrt(rho2) > bladeRadius(Math.atan2(v, u), lens)) return 0;
  const s = lens.edge_softness;
  return s >= 0 ? (1 - 0.98 * rho2) ** (1.5 * s) : 1 - 2 * s * rho2 ** 4;
}

function bladeRadius(angle, lens) {
  const sector = (2 * Math.PI) / lens.blades;
  const raw = angle - (lens.rotation_deg * Math.PI) / 180 + Math.PI / 2;
  const turned = raw - sector * Math.floor(raw / sector) - sector / 2;
  const chord = Math.cos(sector / 2) / Math.cos(turned);
  return chord + (1 - chord) * lens.roundness;
}

/** The kernel on the pixel grid: {half, size, weights}, weights sum to 1. */
export function apertureKernel(radius, lens, flipped) {
  const half = Math.ceil(radius + 0.5);
  const size = 2 * half + 1;
  const weights = new Float64Array(size * size);
  const middle = half * size + half;
  if (radius < 0.25) {
    weights[middle] = 1;
    return { half, size, weights };
  }
  const steps = radius >= 4 ? STEPS : STEPS_BELOW_4_PX;
  const sign = flipped ? -1 : 1;
  let total = 0;
  for (let j = 0; j < size * steps; j++) {
    const y = (((j + 0.5) / steps - half - 0.5) / radius) * sign;
    for (let i = 0; i < size * steps; i++) {
      const x = (((i + 0.5) / steps - half - 0.5) / radius) * sign;
      const density = apertureDensity(x, y, lens);
      weights[Math.floor(j / steps) * size + Math.floor(i / steps)] += density;
      total += density;
    }
  }
  if (total <= 0) weights[middle] = total = 1;
  for (let k = 0; k < weights.length; k++) weights[k] /= total;
  return { half, size, weights };
}

/**
 * Turn a kernel into [dx, dy, weight] taps. With `join`, one tap between pixels reads up to 2 x 2 of
 * them, on whichever of four grids of squares needs fewest. A square's sum and centre are kept; its
 * four weights may be off by a checkerboard of JOIN_ERROR of a pixel, which smooth light cancels.
 */
export function tapsOf(kernel, join) {
  if (!join) return squareTaps(kernel, 0, 0, 1);
  const grids = [[0, 0], [1, 0], [0, 1], [1, 1]].map(([x, y]) => squareTaps(kernel, -x, -y, 2));
  return grids.reduce((best, taps) => (taps.length < best.length ? taps : best));
}

function squareTaps(kernel, left, top, side) {
  const limit = JOIN_ERROR * kernel.weights.reduce((most, weight) => Math.max(most, weight), 0);
  const taps = [];
  for (let y = top; y < kernel.size; y += side) {
    for (let x = left; x < kernel.size; x += side) {
      const rows = side === 1 ? [row(kernel, x, y, 1)] : [row(kernel, x, y, 2), row(kernel, x, y + 1, 2)];
      const held = rows.flat();
      if (checkerboard(rows) <= limit) taps.push(tapOf(held));
      else taps.push(...rows.map(tapOf));
    }
  }
  return taps.filter((tap) => tap[2] > 0);
}

/** One or two pixels of a row: [x, y, weight] from the kernel's middle. */
function row({ half, size, weights }, x, y, count) {
  const at = (i) => (i >= 0 && i < size && y >= 0 && y < size ? weights[y * size + i] : 0);
  return Array.from({ length: count }, (_, k) => [x + k - half, y - half, at(x + k)]);
}

/** How far off each weight of a square is, if one tap stands for all. */
function checkerboard(rows) {
  if (rows.length < 2) return 0;
  const [[a, b], [c, d]] = rows.map((pixels) => pixels.map((pixel) => pixel[2]));
  return Math.abs(a * d - b * c) / Math.max(a + b + c + d, 1e-12);
}

function tapOf(pixels) {
  const sum = pixels.reduce((total, pixel) => total + pixel[2], 0);
  const mean = (k) => pixels.reduce((total, pixel) => total + pixel[2] * pixel[k], 0) / sum;
  return [mean(0), mean(1), sum];
}
