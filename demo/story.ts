import type { DevMessage } from '../src/cli/dev-output.ts';
import type { AsynqQueueStatus } from '../src/operator/asynq-queue.ts';
import { parseLogLine } from '../src/runtime/log-line.ts';
import type { Figures } from './figures.ts';
import { Ledger } from './ledger.ts';
import { QUEUES, STEADY_SECONDS } from './scenario.ts';
import { type DemoResult, demoResult, type QueueResult } from './verdict.ts';
import type { Picture, Row } from './view.ts';
import { WorkersWatch } from './workers-watch.ts';

const BURST = QUEUES.reduce((sum, { burst }) => sum + burst, 0);
const RATE = QUEUES.reduce((sum, { rate }) => sum + rate, 0);

/** What has happened so far: hears the load and the operator, and says how things stand. Times are monotonic milliseconds. */
export class Story {
  readonly #startedAt: number;
  readonly #ledger = new Ledger();
  readonly #workers = new WorkersWatch();
  #load: 'to come' | 'running' | 'over' = 'to come';
  #loadAt: number | undefined;
  #lastWarning: string | undefined;

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  loadBegins(now: number): void {
    this.#load = 'running';
    this.#loadAt = now;
  }

  loadIsOver(): void {
    this.#load = 'over';
  }

  enqueued(queue: string, id: string): void {
    this.#ledger.enqueued(queue, id);
  }

  /** The last thing that the operator warned of. */
  get lastWarning(): string | undefined {
    return this.#lastWarning;
  }

  /** A message of `asynq-operator dev`: statuses tell of workers, what workers write tells of tasks. */
  hear(message: DevMessage, now: number): void {
    if (message.type === 'status') {
      const { queue = message.name, replicas = 0, readyReplicas = 0 } = message.status as AsynqQueueStatus;
      this.#workers.seen(queue, replicas, readyReplicas, now);
    } else if (message.type === 'event' && message.severity === 'Warning') {
      this.#lastWarning = `${message.name}: ${message.reason}: ${message.message}`;
    } else if (message.type === 'output') {
      const line = parseLogLine(message.line);
      if (line?.message === 'handled') {
        this.#ledger.handled(String(line.fields['queue']), String(line.fields['taskId']));
      }
    }
  }

  /** All tasks are done, and all workers that were there are gone. */
  get isComplete(): boolean {
    return (
      this.#load === 'over' &&
      this.#allProcessed &&
      QUEUES.every(({ queue }) => this.#workers.isBackAtZero(queue))
    );
  }

  get #allProcessed(): boolean {
    return this.#results.every(({ account }) => account.processed === account.enqueued);
  }

  get #results(): QueueResult[] {
    return QUEUES.map(({ queue }) => ({
      queue,
      account: this.#ledger.account(queue),
      workers: this.#workers.of(queue),
      isBackAtZero: this.#workers.isBackAtZero(queue),
    }));
  }

  result(now: number): { queues: readonly QueueResult[]; result: DemoResult } {
    const { firstReadyAt } = this.#workers;
    const firstReplicaMs =
      firstReadyAt === undefined || this.#loadAt === undefined ? undefined : firstReadyAt - this.#loadAt;
    const queues = this.#results;
    return { queues, result: demoResult(queues, firstReplicaMs, (now - this.#startedAt) / 1000) };
  }

  picture(figures: Figures, now: number): Picture {
    const accounts = this.#results.map(({ account }) => account);
    return {
      rows: QUEUES.map(({ queue }) => this.#row(queue, figures)),
      phase: this.#phase,
      seconds: (now - this.#startedAt) / 1000,
      enqueued: accounts.reduce((sum, { enqueued }) => sum + enqueued, 0),
      processed: accounts.reduce((sum, { processed }) => sum + processed, 0),
    };
  }

  #row(queue: string, figures: Figures): Row {
    const snapshot = figures.latest(queue);
    const { desired, ready } = this.#workers.of(queue);
    return {
      queue,
      keySlot: snapshot?.keySlot,
      node: snapshot?.node.addr,
      pending: snapshot?.size.pending,
      active: snapshot?.size.active,
      latencySeconds: snapshot?.latencySeconds,
      desired,
      ready,
      history: figures.backlogs(queue),
    };
  }

  get #phase(): string {
    if (this.#load === 'to come') return 'nothing to do, so no workers';
    if (this.#load === 'running')
      return `${BURST} tasks at once, then ${RATE} a second for ${STEADY_SECONDS} s`;
    return this.#allProcessed ? 'all done, idle workers leave' : 'no more tasks come';
  }
}
