// A worker as the fleet sees one: says over IPC that it is ready, ends on SIGTERM and when its parent is gone.
import { createServer } from 'node:http';

const { STUB = 'good', LOADS = '', POD_NAME } = process.env;

process.on('disconnect', () => process.exit(0));
if (STUB === 'stubborn') process.on('SIGTERM', () => console.log('SIGTERM? no'));
else process.on('SIGTERM', () => process.exit(0));

if (STUB === 'broken') {
  console.log('starting');
  console.error('expected a handler module, got nothing');
  process.exit(1);
}
// With LOADS="5,0" the first worker says that it has five tasks, the second that it has none.
const load = LOADS.split(',')[Number(POD_NAME.split('-').at(-1)) - 1] ?? '0';
const server = createServer((_, response) => response.end(`asynq_worker_tasks_running{queue="q"} ${load}\n`));
server.listen(0, '127.0.0.1', () => {
  if (STUB !== 'silent') process.send({ type: 'ready', port: server.address().port });
});
if (STUB === 'crash') setTimeout(() => process.exit(3), 50);
console.log(`I am ${POD_NAME}`);
