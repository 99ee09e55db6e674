/** Small hands for the document: make elements, draw icons, say things aloud. */

/**
 * Make an element: h('button', {class: 'main', onclick: f, 'aria-label': 'x'}, 'text', child).
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && ['value', 'checked', 'disabled', 'hidden', 'textContent'].includes(name)) element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const PATHS = {
  open: '<path d="M4 17V7a2 2 0 0 1 2-2h4l2 2h6a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z"/><path d="M12 16v-5m-2.5 2.2L12 10.7l2.500 2.500"/>',
  undo: '<path d="M8 5 4 9l4 4"/><path d="M4 9h9a6 6 0 0 1 0 12h-2"/>',
  redo: '<path d="m16 5 4 4-4 4"/><path d="M20 9h-9a6 6 0 0 0 0 12h2"/>',
  compare: '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M12 3v18"/><path d="M12 5h7a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-7z" fill="currentColor" fill-opacity=".35" stroke="none"/>',
  depth: '<path d="m12 3 9 5-9 5-9-5z"/><path d="m3 12.500 9 5 9-5"/><path d="m3 17 9 5 9-5" opacity=".55"/>',
  save: '<path d="M12 4v11m-4-4 4 4 4-4"/><path d="M5 19h14"/>',
  help: '<circle cx="12" cy="12" r="9"/><path d="M9.500 9.500a2.500 2.500 0 1 1 3.600 2.200c-.8.4-1.100 1-1.100 1.800"/><path d="M12 16.700v.1"/>',
  info: '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.500M12 7.600v.1"/>',
  code: '<path d="m8 8-4 4 4 4m8-8 4 4-4 4"/>',
  brush: '<path d="M20 4 10.500 13.500"/><path d="M9 13a3.500 3.500 0 0 0-4 3.400c0 1.800-1 2.600-2 2.800 1.200 1 5 1.600 7-.4A3.500 3.500 0 0 0 9 13z"/>',
  peak: '<path d="m3 18 6-11 4 7 2-3 6 7z"/>',
  photo: '<rect x="3" y="5" width="18" height="14" rx="3"/><circle cx="9" cy="10.500" r="1.800"/><path d="m4 17 5-4 3.500 2.800L17 11l4 4"/>',
  plus: '<path d="M12 5v14M5 12h14"/>', minus: '<path d="M5 12h14"/>', close: '<path d="m6 6 12 12M18 6 6 18"/>',
  bin: '<path d="M5 7h14M10 7V4.500h4V7M7 7l.8 12.500h8.400L17 7M10.200 10.500v5.500m3.600-5.500v5.500"/>',
  play: '<path d="M8 5.500v13l10.500-6.500z"/>',
  fit: '<path d="M4 9V5h4M20 9V5h-4M4 15v4h4M20 15v4h-4"/>',
  eye: '<path d="M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12z"/><circle cx="12" cy="12" r="2.800"/>',
};
const BRAND = '<circle cx="9.500" cy="12" r="6" fill="none" stroke="#ffb454" stroke-width="2.200"/><circle cx="15.500" cy="12" r="6" fill="#ffb454" fill-opacity=".35"/><circle cx="9.500" cy="12" r="1.800" fill="#ffb454"/>';

/** Draw one of the page's icons; they are decoration, the button carries the label. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.innerHTML = name === 'brand' ? BRAND : PATHS[name] ?? name;
  return svg;
}

/** Make a button that shows an icon and is named by a label and a key. */
export function iconButton(name, label, onclick, more = {}) {
  const button = h('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick, ...more });
  button.append(icon(name));
  return button;
}

/** Say something to people who listen rather than look. */
export function say(text) {
  const said = document.getElementById('said');
  if (said) said.textContent = text;
}

/**
 * Show a short message; failures, and what takes long to read, stay longer.
 * @param {string} text
 * @param {{bad?: boolean, action?: [string, () => void]}} [how]
 */
export function toast(text, { bad = false, action } = {}) {
  const box = h('div', { class: bad ? 'toast bad' : 'toast' }, h('p', {}, text));
  if (action) box.append(h('button', { type: 'button', class: 'edge', onclick: action[1] }, action[0]));
  box.append(iconButton('close', 'Close', () => box.remove()));
  document.getElementById('toasts')?.append(box);
  setTimeout(() => box.remove(), bad || text.length > LONG ? 12000 : 5000);
}

const LONG = 90; // characters

/** Whether the person asked for little motion. */
export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
