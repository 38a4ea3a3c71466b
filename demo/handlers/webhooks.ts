import { setTimeout as sleep } from 'node:timers/promises';
import type { HandlerFunction } from '../../src/server/handler.ts';

const sync: HandlerFunction = async (task, { log, signal }) => {
  const data = task.payload.getInt('datos');
  await sleep(150, undefined, { signal });
  log.info({ data }, 'handled');
};

export default { 'webhooks:sync': sync };
