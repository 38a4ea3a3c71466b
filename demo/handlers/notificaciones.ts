import { setTimeout as sleep } from 'node:timers/promises';
import type { HandlerFunction } from '../../src/server/handler.ts';

const sendEmail: HandlerFunction = async (task, { log, signal }) => {
  const to = task.payload.getInt('para');
  const from = task.payload.getInt('de');
  await sleep(100, undefined, { signal });
  log.info({ to, from }, 'handled');
};

export default { 'notificaciones:email': sendEmail };
