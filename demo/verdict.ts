import type { Account } from './ledger.ts';
import type { Workers } from './workers-watch.ts';

/** What is said of one queue in the end. */
export interface QueueResult {
  readonly queue: string;
  readonly account: Account;
  readonly workers: Workers;
  readonly isBackAtZero: boolean;
}

/** The result for programs: one line of JSON. */
export interface DemoResult {
  readonly enqueued: number;
  readonly processed: number;
  /** Enqueued, but finished by no handler. */
  readonly lost: number;
  /** Runs of handlers beyond one a task. */
  readonly repeated: number;
  readonly peakReplicas: Readonly<Record<string, number>>;
  /** From the first task to the first worker that was ready, milliseconds; null: none ever was. */
  readonly firstReplicaMs: number | null;
  readonly seconds: number;
}

export function demoResult(
  queues: readonly QueueResult[],
  firstReplicaMs: number | undefined,
  seconds: number,
): DemoResult {
  const sum = (of: (account: Account) => number) =>
    queues.reduce((total, { account }) => total + of(account), 0);
  return {
    enqueued: sum(({ enqueued }) => enqueued),
    processed: sum(({ processed }) => processed),
    lost: sum(({ enqueued, processed }) => enqueued - processed),
    repeated: sum(({ surplus }) => surplus),
    peakReplicas: Object.fromEntries(queues.map(({ queue, workers }) => [queue, workers.peak])),
    firstReplicaMs: firstReplicaMs === undefined ? null : Math.round(firstReplicaMs),
    seconds: Math.round(seconds * 10) / 10,
  };
}

/** What did not go as the demo promises, a line each; nothing: all went well. */
export function faultsOf(queues: readonly QueueResult[]): string[] {
  return queues.flatMap(({ queue, account, workers, isBackAtZero }) => {
    const faults: string[] = [];
    const lost = account.enqueued - account.processed;
    if (lost > 0) faults.push(`${queue}: ${lost} of ${account.enqueued} tasks were not processed`);
    if (account.surplus > 0)
      faults.push(`${queue}: handlers ran ${account.surplus} times more than once a task`);
    if (workers.peak === 0) faults.push(`${queue}: no worker ever became ready`);
    else if (!isBackAtZero) faults.push(`${queue}: workers did not go back to zero (${workers.ready} ready)`);
    return faults;
  });
}

/** The result for people. */
export function summaryLines(queues: readonly QueueResult[], result: DemoResult): string[] {
  const { enqueued, processed, lost, repeated, firstReplicaMs } = result;
  const journeys = queues.map(
    ({ queue, workers, isBackAtZero }) =>
      `${queue} 0 → ${workers.peak} → ${isBackAtZero ? 0 : workers.ready}`,
  );
  const first =
    firstReplicaMs === null ? 'never' : `${(firstReplicaMs / 1000).toFixed(1)} s after the first task`;
  return [
    `  Tasks     ${enqueued} enqueued, ${processed} processed, ${lost} lost, ${repeated} run twice`,
    `  Workers   ${journeys.join('   ')}`,
    `  First     ready ${first}`,
  ];
}
