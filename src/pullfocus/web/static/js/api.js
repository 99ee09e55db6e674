/** The server, as the page sees it: calls, uploads with progress, jobs followed to their end. */

const TAB = crypto.getRandomValues(new Uint32Array(2)).join('');

/** A failure with a sentence that can be shown. */
export class ServerError extends Error {
  /** @param {string} message @param {string} kind @param {number} status */
  constructor(message, kind, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

/** Called with a ServerError of kind "token" or "offline". */
export const onLost = { call: (/** @type {ServerError} */ _) => {} };

function lost(error) {
  if (error.kind === 'token' || error.kind === 'gone-run') onLost.call(error);
  return error;
}

async function failure(response) {
  let error = { kind: 'http', message: response.statusText || `HTTP ${response.status}` };
  try {
    error = (await response.json()).error ?? error;
  } catch { /* the status must do */ }
  return lost(new ServerError(error.message, error.kind, response.status));
}

/** @param {string} path @param {RequestInit} [init] */
export async function call(path, init = {}) {
  let response;
  try {
    response = await fetch(path, { ...init, headers: { 'x-pullfocus-tab': TAB, ...init.headers } });
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === 'AbortError') throw problem;
    throw new ServerError('', 'offline', 0);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

/** @param {string} path @param {any} body @param {AbortSignal} [signal] */
export async function post(path, body, signal) {
  const headers = { 'content-type': 'application/json' };
  return (await call(path, { method: 'POST', body: JSON.stringify(body), headers, signal })).json();
}

/** @param {string} path */
export async function get(path) {
  return (await call(path)).json();
}

/**
 * Send a file's bytes and tell how far it is; resolves to the job that reads it.
 * @param {string} path @param {Blob} file @param {(part: number) => void} tell @param {AbortSignal} signal
 */
export function upload(path, file, tell, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('x-pullfocus-tab', TAB);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.responseType = 'json';
    request.upload.onprogress = (event) => tell(event.loaded / Math.max(1, event.total));
    request.onload = () => {
      if (request.status < 300) return resolve(request.response);
      const error = request.response?.error ?? { kind: 'http', message: `HTTP ${request.status}` };
      reject(lost(new ServerError(error.message, error.kind, request.status)));
    };
    request.onerror = () => reject(new ServerError('', 'offline', 0));
    request.onabort = () => reject(new DOMException('', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    if (signal.aborted) return reject(new DOMException('', 'AbortError'));
    request.send(file);
  });
}

/**
 * Follow a job by server-sent events until it ends; resolves to its result.
 * @param {any} job @param {(progress: number, message: string) => void} tell @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export function follow(job, tell, signal) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`/api/jobs/${job.id}/events`);
    let failures = 0;
    const end = (settle, value) => { source.close(); settle(value); };
    const cancel = () => {
      call(`/api/jobs/${job.id}`, { method: 'DELETE' }).catch(() => {});
      end(reject, new DOMException('', 'AbortError'));
    };
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    source.onmessage = (event) => {
      failures = 0;
      const now = JSON.parse(event.data);
      tell(now.progress, now.message);
      if (now.state === 'done') end(resolve, now.result);
      if (now.state === 'cancelled') end(reject, new DOMException('', 'AbortError'));
      if (now.state === 'failed') end(reject, new ServerError(now.error.message, now.error.kind, 0));
    };
    source.onerror = async () => {
      failures += 1;
      if (failures < 3 && source.readyState !== EventSource.CLOSED) return;
      source.close();
      call(`/api/jobs/${job.id}`).then(() => follow(job, tell, signal).then(resolve, reject), reject);
    };
  });
}

/** Whether an error only says that the person cancelled. */
export const isCancel = (error) => error instanceof DOMException && error.name === 'AbortError';
