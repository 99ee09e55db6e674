/** Main: starts the page once the server has said what it can do. */

import { get, onLost } from './api.js';
import { App } from './app.js';
import { lostNotice } from './dialogs.js';
import { toast } from './dom.js';
import { t } from './strings.js';

async function begin() {
  onLost.call = () => lostNotice(globalThis.pullfocus ?? {});
  let info;
  try {
    info = await get('/api/info');
  } catch (error) {
    if (error.kind !== 'token') toast(error.message || t('offline'), { bad: true });
    return;
  }
  const app = new App(info);
  globalThis.pullfocus = app;
  await app.begin();
}

begin();
