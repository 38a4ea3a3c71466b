// Takes the tasks of the tutorial's queues, at most 20 at once, and prints each. Ctrl-C ends it when they are done.
//
//   ASYNQ_REDIS_ADDRS=127.0.0.1:7000 npm run example examples/worker.ts
import { ServeMux, Server, type Task } from 'asynq-operator';

const addrs = (process.env['ASYNQ_REDIS_ADDRS'] ?? '127.0.0.1:7000').split(',');

const server = new Server(
  { addrs },
  {
    concurrency: 20,
    queues: { notificaciones: 1, webhooks: 1, imágenes: 1 },
  },
);

function sendEmail({ payload }: Task): void {
  console.log(`sending an email from ${payload.getInt('de')} to ${payload.getInt('para')}`);
}

function syncWebhook({ payload }: Task): void {
  console.log(`syncing ${payload.getInt('datos')}`);
}

function resizeImage({ payload }: Task): void {
  console.log(`resizing ${payload.getString('src')}`);
}

const mux = new ServeMux()
  .handle('notificaciones:email', sendEmail)
  .handle('webhooks:sync', syncWebhook)
  .handle('imágenes:resize', resizeImage);

server.start(mux);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void server.shutdown());
