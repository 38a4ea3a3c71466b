// Says what waits in each queue and what was given up, and lets that run again.
//
//   ASYNQ_REDIS_ADDRS=127.0.0.1:7000 npm run example examples/inspector.ts
import { Inspector } from 'asynq-operator';

const addrs = (process.env['ASYNQ_REDIS_ADDRS'] ?? '127.0.0.1:7000').split(',');
await using inspector = new Inspector({ addrs });

for (const queue of await inspector.queues()) {
  const { pending, archived } = await inspector.getQueueInfo(queue);
  console.log(`${queue}: ${pending} pending, ${archived} archived`);
  for (const { type, lastErr } of await inspector.listArchivedTasks(queue, { pageSize: 5 })) {
    console.log(`  ${type}: ${lastErr}`);
  }
  const again = await inspector.runAllArchivedTasks(queue);
  if (again > 0) console.log(`  ${again} run again`);
}
