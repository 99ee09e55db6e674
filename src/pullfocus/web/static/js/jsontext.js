/** JSON text: what people bring as a file or type, read as an object. */

import { t } from './strings.js';

/** @param {string} text @returns {Record<string, any>} @throws {SyntaxError} in words */
export function readObject(text) {
  let content = null;
  try {
    content = JSON.parse(text);
  } catch { /* said below */ }
  if (!content || typeof content !== 'object' || Array.isArray(content)) throw new SyntaxError(t('notJson'));
  return content;
}

/** Whether an error says that what was brought makes no sense. */
export const isNonsense = (error) => error.kind === 'usage' || error instanceof SyntaxError;
