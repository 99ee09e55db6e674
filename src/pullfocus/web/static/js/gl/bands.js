/** Bands: the rungs of blur that a focus needs, their taps, and the textures they are blurred in. */

import { ladderIndex, rungLevel, rungRadius } from '../optics.js';
import { apertureKernel, tapsOf } from './kernel.js';

const TAPS = 256; // room for one band in its uniform block
const REACHES = 24; // tiles that the largest disc may reach, and itself
const HALF_FROM_PX = 4; // a disc this wide hides what half size cannot hold: 44 dB and more to the full size
const SMALLEST_LEVEL = 5;
const LARGEST_RUNG = 38; // 240 px in the preview: what the taps and levels here can hold

/** The taps of all bands low..high under a lens, and which tiles they reach. */
export class BandPlan {
  constructor(low, high, lens, tilePx) {
    this.low = low;
    this.high = high;
    this.count = high - low + 1;
    this.bands = [];
    const used = new Map();
    for (let rung = low; rung <= high; rung++) {
      const level = levelOf(Math.abs(rung));
      let radius = rungRadius(Math.abs(rung)) / 2 ** level;
      if (level) radius = Math.sqrt(radius * radius - 1);
      const kernel = cachedKernel(radius, lens, rung > 0);
      const layer = used.get(level) ?? 0;
      used.set(level, layer + 1);
      const halo = (kernel.half + (level ? 1 : 0)) << level;
      this.bands.push({ rung, level, layer, radius, taps: kernel.taps, tilesReached: Math.min(REACHES - 1, Math.ceil(halo / tilePx)) });
    }
    this.layers = used;
    this.taps = new Float32Array(TAPS * this.count * 4);
    this.bands.forEach((band, row) => band.taps.slice(0, TAPS).forEach((tap, k) => this.taps.set(tap, (row * TAPS + k) * 4)));
    this.reaching = new Uint32Array(REACHES * 4);
    this.farthest = 0;
    this.bands.forEach((band, b) => {
      this.farthest = Math.max(this.farthest, band.tilesReached);
      for (let k = 0; k <= band.tilesReached; k++) this.reaching[k * 4 + (b >> 5)] |= 1 << (b & 31);
    });
    this.places = new Int32Array(256);
    this.bands.forEach((band, b) => this.places.set([band.level, band.layer], b * 2));
  }
}

/** The scale at which a rung is blurred here: `render/layered` halves from 8 px on, a preview may sooner. */
function levelOf(rung) {
  const soonest = rungRadius(rung) >= HALF_FROM_PX ? 1 : 0;
  return Math.min(SMALLEST_LEVEL, Math.max(soonest, rungLevel(rung)));
}

const kernels = new Map();

function cachedKernel(radius, lens, flipped) {
  const shape = [radius.toFixed(4), lens.blades && flipped, lens.blades, lens.rotation_deg, lens.roundness, lens.squeeze, lens.ring, lens.edge_softness, lens.cats_eye > 0].join();
  if (!kernels.has(shape)) {
    if (kernels.size > 2000) kernels.clear();
    const kernel = apertureKernel(radius, lens, flipped);
    kernels.set(shape, { half: kernel.half, taps: tapsOf(kernel, !(lens.cats_eye > 0)) });
  }
  return kernels.get(shape);
}

/** The signed rungs that a picture's depth needs at a focus: whole ladder places, 0 included. */
export function neededRungs(lowRadius, highRadius) {
  const place = (r) => Math.sign(r) * Math.ceil(ladderIndex(Math.abs(r)) - 1e-6);
  const [low, high] = [Math.min(0, place(lowRadius)), Math.max(0, place(highRadius))];
  return { low: Math.max(low, -LARGEST_RUNG), high: Math.min(high, LARGEST_RUNG) };
}

/** Side of the tiles in which bands are looked for: finer on small pictures, whose discs are small. */
export const tileOf = (longSidePx) => (longSidePx > 800 ? 32 : 16);

export { TAPS };
