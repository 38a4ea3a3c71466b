import { setTimeout as sleep } from 'node:timers/promises';
import type { HandlerFunction } from '../../src/server/handler.ts';

const resize: HandlerFunction = async (task, { log, signal }) => {
  const src = task.payload.getString('src');
  await sleep(400, undefined, { signal });
  log.info({ src }, 'handled');
};

export default { 'imágenes:resize': resize };
