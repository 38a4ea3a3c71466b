/** `npm run redis`: a Redis Cluster on the tutorial's ports, here until Ctrl-C. */
import { startDemoCluster } from '../demo/redis.ts';
import { errorText } from '../src/runtime/errors.ts';
import { aborted, StopSignals } from '../src/runtime/lifecycle.ts';

const say = (line: string) => console.log(line);

function greeting([first = '', ...others]: readonly string[]): string {
  const env = first === '127.0.0.1:7000' ? '' : `ASYNQ_REDIS_ADDRS=${first} `;
  return `A Redis Cluster runs here until Ctrl-C, three masters, then their replicas:
  ${[first, ...others].join(' ')}

To try it, in another terminal:
  ${env}npm run example examples/worker.ts     takes tasks
  ${env}npm run example examples/client.ts     enqueues some
  npm run asynq -- queue ls --cluster --cluster_addrs ${first}
  npm run asynq-operator -- dev demo/queues --redis-addrs ${first}`;
}

using signals = new StopSignals();
try {
  say('Starting a Redis Cluster: 3 masters, 3 replicas');
  await using cluster = await startDemoCluster(say);
  say(greeting(cluster.addrs));
  await aborted(signals.graceful);
} catch (error) {
  // A Ctrl-C goes to all processes of the terminal: Redis may end before it is up.
  if (!signals.graceful.aborted) {
    process.stderr.write(`error: ${errorText(error)}\n`);
    process.exitCode = 1;
  }
}
