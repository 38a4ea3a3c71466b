import type { StopSignals } from '../src/runtime/lifecycle.ts';
import { play } from './play.ts';
import { startDemoCluster } from './redis.ts';
import { createStage } from './stage.ts';
import { Story } from './story.ts';
import { faultsOf, summaryLines } from './verdict.ts';

/** The whole of it, from the first Redis node on. */
const DEADLINE_MS = 56_000;

/** What shells expect of a program that a Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * A Redis Cluster, `asynq-operator dev` on three manifests, a load, and what comes of it. Resolves to the exit code when
 * all that was started has ended.
 */
export async function runDemo(options: { output: 'text' | 'json'; signals: StopSignals }): Promise<number> {
  const { output, signals } = options;
  const startedAt = performance.now();
  const stage = createStage(output);
  stage.say('Starting a Redis Cluster: 3 masters, 3 replicas');
  await using cluster = await startDemoCluster((line) => stage.say(line)).catch((error: unknown) => {
    // A Ctrl-C goes to all processes of the terminal: Redis, too, may have ended by it.
    if (signals.graceful.aborted) return undefined;
    throw error;
  });
  if (cluster === undefined || signals.graceful.aborted) return INTERRUPTED;
  stage.say(`Running: asynq-operator dev demo/queues --redis-addrs ${cluster.addrs[0]}\n`);

  const story = new Story(startedAt);
  const patience = startedAt + DEADLINE_MS - performance.now();
  const ending = await play({ addrs: cluster.addrs, story, stage, signals, patience });
  if (ending === 'interrupted') return INTERRUPTED;
  const { queues, result } = story.result(performance.now());
  if (output === 'json') process.stdout.write(`${JSON.stringify(result)}\n`);
  else stage.say(`\n${summaryLines(queues, result).join('\n')}\n`);
  const faults = faultsOf(queues);
  for (const fault of faults) process.stderr.write(`error: ${fault}\n`);
  if (faults.length > 0 && story.lastWarning !== undefined) {
    process.stderr.write(`The operator's last warning: ${story.lastWarning}\n`);
  }
  return ending === 'complete' && faults.length === 0 ? 0 : 1;
}
