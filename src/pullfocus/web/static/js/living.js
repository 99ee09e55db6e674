/** Living: the script of a living photo: click, drag or keys refocus; a slider sets the aperture. */

import { disparityAt, eased, focusOf } from './optics.js';
import { Renderer } from './gl/renderer.js';
import { t } from './strings.js';

const at = (id) => /** @type {any} */ (document.getElementById(id));

async function picture(uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  return image;
}

async function readDepth(living) {
  const image = await picture(living.depth);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const [low, high] = living.scale;
  const disparity = new Float32Array(canvas.width * canvas.height);
  for (let i = 0; i < disparity.length; i++) disparity[i] = low + ((data[4 * i] * 256 + data[4 * i + 1]) / 65535) * (high - low);
  const { kind, focal_length_mm, sensor_width_mm } = living;
  return { width: canvas.width, height: canvas.height, data: disparity, kind, focal_length_mm, sensor_width_mm };
}

async function begin(living) {
  const image = await createImageBitmap(await picture(living.picture), { colorSpaceConversion: 'none' });
  const depth = await readDepth(living);
  const canvas = at('photo');
  const settings = { ...living.settings };
  let shown = settings.focus_disparity;
  let waiting = false;
  let renderer = null;
  try {
    renderer = await Renderer.create(canvas);
  } catch (problem) {
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext('2d')?.drawImage(image, 0, 0);
    document.querySelector('footer').textContent = t('livingNoGpu');
    return;
  }
  const draw = () => {
    waiting = false;
    renderer.setSource('photo', image, depth, 0);
    renderer.render(settings, { ...focusOf(settings, depth), plane: shown });
    document.body.dataset.rendered = String(Number(document.body.dataset.rendered ?? 0) + 1);
  };
  const ask = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };
  const cross = document.createElement('div');
  cross.className = 'cross';
  document.querySelector('main').append(cross);
  let spot = settings.at ?? [0.5, 0.5];
  const place = () => {
    const box = canvas.getBoundingClientRect();
    const main = document.querySelector('main').getBoundingClientRect();
    cross.style.left = `${box.left - main.left + spot[0] * box.width}px`;
    cross.style.top = `${box.top - main.top + spot[1] * box.height}px`;
    cross.classList.add('seen');
    clearTimeout(place.timer);
    place.timer = setTimeout(() => cross.classList.remove('seen'), 900);
  };
  let run = 0;
  const focus = (x, y, slowly) => {
    spot = [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
    const [from, to] = [shown, disparityAt(depth, ...spot)];
    settings.focus_disparity = to;
    settings.range = null;
    place();
    const mine = (run += 1);
    const began = performance.now();
    const still = !slowly || matchMedia('(prefers-reduced-motion: reduce)').matches;
    const step = () => {
      if (mine !== run) return;
      const part = still ? 1 : Math.min(1, (performance.now() - began) / 500);
      shown = from + (to - from) * eased(part);
      ask();
      if (part < 1) requestAnimationFrame(step);
    };
    step();
  };
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener('pointerdown', (event) => { canvas.setPointerCapture(event.pointerId); focus(...point(event), true); });
  canvas.addEventListener('pointermove', (event) => { if (canvas.hasPointerCapture(event.pointerId)) focus(...point(event), false); });
  canvas.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
    if (event.key === 'Enter') focus(...spot, true);
    if (!by) return;
    event.preventDefault();
    spot = [Math.min(1, Math.max(0, spot[0] + by[0])), Math.min(1, Math.max(0, spot[1] + by[1]))];
    place();
  });
  addAperture(settings, ask);
  draw();
}

function addAperture(settings, ask) {
  const label = document.createElement('label');
  const input = document.createElement('input');
  const output = document.createElement('output');
  Object.assign(input, { type: 'range', min: '0', max: '1', step: '0.01', value: String(Math.log2(settings.f_number) / Math.log2(22)) });
  const tell = () => {
    output.textContent = `f/${Number(settings.f_number.toFixed(1))}`;
    input.setAttribute('aria-valuetext', output.textContent);
  };
  input.addEventListener('input', () => { settings.f_number = 22 ** Number(input.value); tell(); ask(); });
  label.append(t('aperture'), input, output);
  const words = document.createElement('span');
  words.textContent = t('livingHint');
  document.querySelector('footer').append(words, label);
  tell();
}

begin(globalThis.pullfocusLiving);
