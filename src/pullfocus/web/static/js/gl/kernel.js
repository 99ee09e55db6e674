/** Kernel: the aperture at a radius as taps, neighbours joined where bilinear reading allows. */

const STEPS = 8;
const STEPS_BELOW_4_PX = 32;

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

/** Turn a kernel into [dx, dy, weight] taps; `join` lets one tap read up to 2 x 2 pixels. */
export function tapsOf({ half, size, weights }, join) {
  const left = Float64Array.from(weights);
  const taps = [];
  const at = (x, y) => (x < size && y < size ? left[y * size + x] : 0);
  const take = (x, y, w, h) => {
    let sum = 0, sx = 0, sy = 0;
    for (let j = y; j < y + h; j++) {
      for (let i = x; i < x + w; i++) {
        const value = left[j * size + i];
        sum += value; sx += value * i; sy += value * j;
        left[j * size + i] = 0;
      }
    }
    taps.push([sx / sum - half, sy / sum - half, sum]);
  };
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const a = at(x, y);
      if (a <= 0) continue;
      const [b, c, d] = [at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)];
      const square = b > 0 && c > 0 && d > 0 && Math.abs(a * d - b * c) < 1e-3 * a * d;
      if (join && square) take(x, y, 2, 2);
      else if (join && b > 0) take(x, y, 2, 1);
      else if (join && c > 0) take(x, y, 1, 2);
      else take(x, y, 1, 1);
    }
  }
  return taps;
}
