/**
 * Renderer: `render/layered` on the GPU. Bands of blur over two surfaces, composed near to far.
 *
 *     source (surfaces) -> mark tiles -> for each band: gather, blur -> compose -> canvas
 */

import { lensGain, radiusOf } from '../optics.js';
import { BandPlan, neededRungs, TAPS, tileOf } from './bands.js';
import { Context, loadShaders } from './context.js';
import { Source } from './source.js';

const SOURCES_KEPT = 3;

export class Renderer {
  static async create(canvas = document.createElement('canvas')) {
    return new Renderer(canvas, await loadShaders());
  }

  constructor(canvas, shaders) {
    this.canvas = canvas;
    this.context = new Context(canvas, shaders);
    /** @type {Map<string, Source>} */
    this.sources = new Map();
    this.source = null;
    this.targets = null;
    this.plan = null;
    this.planOf = '';
  }

  /** Choose the picture; it stays on the GPU for a while. */
  setSource(id, image, depth, version) {
    let source = this.sources.get(id);
    if (source && (source.width !== image.width || source.height !== image.height)) {
      source.drop();
      source = undefined;
    }
    source ??= new Source(this.context, image);
    this.sources.delete(id);
    this.sources.set(id, source);
    source.setDepth(depth, version);
    for (const [old, other] of this.sources) {
      if (this.sources.size <= SOURCES_KEPT) break;
      other.drop();
      this.sources.delete(old);
    }
    this.source = source;
  }

  /**
   * Render into the canvas.
   * @param {any} settings @param {{plane: number, range: {near: number, far: number} | null}} focus
   * @param {{draft?: boolean, longSide?: number, box?: any, linear?: boolean}} [how] longSide: of the whole
   *     photo in pixels of this source; box: which part of it this source shows
   */
  render(settings, focus, how = {}) {
    const { source, context: c, canvas } = this;
    const { depth, width: w, height: h } = source;
    const longSide = how.longSide ?? Math.max(w, h);
    const gain = lensGain(settings, depth, focus.plane, longSide);
    const sharp = focus.range ? [focus.range.far, focus.range.near] : [focus.plane, focus.plane];
    const radius = radiusOf(settings, depth, focus, longSide);
    const atInfinity = lensGain(settings, depth, 0, longSide); // the same for every focus: what is an edge, how far it uncovers
    source.build(1 / Math.max(atInfinity, 1e-9), atInfinity * (source.high - source.low), settings.highlights, how.draft);
    const { low, high } = neededRungs(radius(source.low), radius(source.high));
    this.makePlan(low, high, settings);
    this.makeTargets(w, h);
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const place = { gain, sharp, low_band: low, high_band: high };
    this.markTiles(place);
    this.plan.bands.forEach((band, b) => this.drawBand(band, b, settings, how.box));
    this.compose(w, h, how.linear ?? false);
  }

  makePlan(low, high, settings) {
    const shape = ['blades', 'rotation_deg', 'roundness', 'squeeze', 'ring', 'edge_softness'].map((name) => settings[name]);
    const tilePx = tileOf(Math.max(this.source.width, this.source.height));
    const key = [low, high, tilePx, ...shape, settings.cats_eye > 0].join();
    if (this.planOf === key) return;
    this.planOf = key;
    this.plan = new BandPlan(low, high, settings, tilePx);
    const { gl } = this.context;
    if (this.taps) gl.deleteBuffer(this.taps.buffer);
    this.taps = this.context.numbers(this.plan.taps, TAPS * 4);
  }

  /** Textures of each level: scratch layers, and arrays of as many blurred bands as are needed. */
  makeTargets(w, h) {
    const { context: c, plan } = this;
    if (this.targets?.w !== w || this.targets?.h !== h) {
      this.dropTargets();
      const tilePx = tileOf(Math.max(w, h));
      const tiles = [Math.ceil(w / tilePx), Math.ceil(h / tilePx)];
      this.targets = { w, h, tilePx, tiles, levels: [], places: c.texture(w, h, 'RG32F'), ...Object.fromEntries(['marks', 'hides', 'reached', 'reachedHides'].map((name) => [name, c.texture(...tiles, 'RGBA32UI')])) };
      this.empty = { seen: c.texture(1, 1, 'RGBA16F', { layers: 1 }), hidden: c.texture(1, 1, 'R16F', { layers: 1 }) };
    }
    for (const [level, layers] of plan.layers) {
      const [lw, lh] = [Math.ceil(w / 2 ** level), Math.ceil(h / 2 ** level)];
      const smooth = { linear: true, mirror: true };
      const had = this.targets.levels[level];
      if (had && had.seen.layers >= layers) continue;
      const room = layers + 2;
      if (had) c.drop(had.seen, had.hidden);
      this.targets.levels[level] = {
        w: lw, h: lh,
        layer: had?.layer ?? c.texture(lw, lh, 'RGBA16F', smooth),
        cover: had?.cover ?? c.texture(lw, lh, 'R16F', smooth),
        seen: c.texture(lw, lh, 'RGBA16F', { ...smooth, layers: room }),
        hidden: c.texture(lw, lh, 'R16F', { ...smooth, layers: room }),
      };
    }
  }

  dropTargets() {
    if (!this.targets) return;
    const { context: c, targets } = this;
    c.drop(targets.places, targets.marks, targets.hides, targets.reached, targets.reachedHides, this.empty.seen, this.empty.hidden);
    for (const level of targets.levels) if (level) c.drop(level.layer, level.cover, level.seen, level.hidden);
  }

  markTiles(place) {
    const { context: c, targets, source, plan } = this;
    c.pass([targets.places], ['place', 'places'], { ...place, depths: source.depths });
    c.pass([targets.marks, targets.hides], ['mark'], { places: targets.places, tile_px: targets.tilePx });
    c.pass([targets.reached, targets.reachedHides], ['spread'], { marks: targets.marks, hidden_marks: targets.hides, reaching: plan.reaching, farthest: plan.farthest });
  }

  drawBand(band, b, settings, box) {
    const { context: c, targets, source } = this;
    const at = targets.levels[band.level];
    const grid = { tiles: targets.tiles, tile_size: targets.tilePx / 2 ** band.level, target_size: [at.w, at.h], band: b };
    const { front, back } = source;
    const gathered = { ...grid, marks: targets.marks, hidden_marks: targets.hides, front, back, places: targets.places, level: band.level };
    const blurred = [[at.seen, band.layer], [at.hidden, band.layer]];
    const plain = band.taps.length === 1 && band.level === 0;
    c.tiles(plain ? blurred : [at.layer, at.cover], ['gather'], gathered);
    if (plain) return;
    c.useRow(this.taps, b);
    c.tiles(blurred, ['blur'], {
      ...grid, marks: targets.reached, hidden_marks: targets.reachedHides, layer_in: at.layer, hidden_in: at.cover,
      count: Math.min(TAPS, band.taps.length), size: [at.w, at.h], extent: [source.width, source.height].map((side) => side / 2 ** band.level), radius: band.radius, eye: settings.cats_eye,
      ...vignetteOf(band, settings, source, box),
    });
  }

  compose(w, h, linear) {
    const { context: c, targets, plan } = this;
    const named = {};
    for (let k = 0; k < 6; k++) {
      named[`seen${k}`] = targets.levels[k]?.seen ?? this.empty.seen;
      named[`hidden${k}`] = targets.levels[k]?.hidden ?? this.empty.hidden;
    }
    c.pass(null, ['compose'], {
      ...named, tile_px: targets.tilePx, marks: targets.reached, hidden_marks: targets.reachedHides, bands: plan.places, count: plan.count, sharp_band: -plan.low, size: [w, h], linear_out: linear ? 1 : 0,
    });
  }

  /** Wait until the GPU has drawn, for measuring. */
  finish() {
    const pixel = new Uint8Array(4);
    const { gl } = this.context;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  }
}

/** How the second pupil of a cat's eye lies at each pixel of a band's layer. */
function vignetteOf(band, settings, source, box = { left: 0, top: 0, right: 1, bottom: 1 }) {
  const whole = [source.width / (box.right - box.left), source.height / (box.bottom - box.top)];
  const half = Math.hypot(whole[0], whole[1]) / 2;
  const scale = 2 ** band.level;
  const shift = [whole[0] / 2 - box.left * whole[0], whole[1] / 2 - box.top * whole[1]].map((v) => (settings.cats_eye * v) / half);
  const slope = (-settings.cats_eye * scale) / half;
  const sign = band.rung > 0 ? -1 : 1;
  const squeeze = settings.squeeze;
  return {
    vignette: [shift[0], shift[1], slope, slope],
    stretch: squeeze >= 1 ? [sign * squeeze, sign] : [sign, sign / squeeze],
  };
}
