// Puts one task into each queue of the tutorial.
//
//   ASYNQ_REDIS_ADDRS=127.0.0.1:7000 npm run example examples/client.ts
import { AsynqError, Client, Task } from 'asynq-operator';

const addrs = (process.env['ASYNQ_REDIS_ADDRS'] ?? '127.0.0.1:7000').split(',');
const client = new Client({ addrs });

const tasks = [
  new Task('notificaciones:email', { para: 123, de: 456 }, { queue: 'notificaciones' }),
  new Task('webhooks:sync', { datos: 123 }, { queue: 'webhooks' }),
  new Task('imágenes:resize', { src: 'alguna/ruta/a/imagen' }, { queue: 'imágenes' }),
];

try {
  for (const task of tasks) {
    const info = await client.enqueue(task);
    console.log(`enqueued ${info.type} as ${info.id} into ${info.queue}`);
  }
} catch (error) {
  if (!AsynqError.is(error)) throw error;
  console.error(`error: ${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await client.close();
}
