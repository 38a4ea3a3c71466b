import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServerObserver, TaskOutcome } from './config.ts';

/** From a no-op to half an hour. */
const DURATION_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800];

/** What a worker tells of its work: labels are its queues and the few outcomes, so series stay few. */
export class WorkerMetrics implements ServerObserver {
  readonly #outcomes: Counter<'queue' | 'outcome'>;
  readonly #durations: Histogram<'queue'>;

  /** `running`: how many handlers are at work in each queue now. */
  constructor(registry: Registry, queues: readonly string[], running: () => ReadonlyMap<string, number>) {
    const registers = [registry];
    this.#outcomes = new Counter({
      name: 'asynq_worker_tasks_total',
      help: 'Tasks by what became of them: done, retry, archive, revoke, requeue, or lost with its lease.',
      labelNames: ['queue', 'outcome'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'asynq_worker_task_duration_seconds',
      help: 'How long handlers ran, whatever came of it.',
      labelNames: ['queue'],
      buckets: DURATION_BUCKETS,
      registers,
    });
    void new Gauge({
      name: 'asynq_worker_tasks_running',
      help: 'Handlers at work now, those that were told to stop and did not yet among them.',
      labelNames: ['queue'],
      registers,
      collect() {
        const now = running();
        for (const queue of queues) this.set({ queue }, now.get(queue) ?? 0);
      },
    });
  }

  handled(queue: string, durationMs: number): void {
    this.#durations.observe({ queue }, durationMs / 1000);
  }

  settled(queue: string, outcome: TaskOutcome): void {
    this.#outcomes.inc({ queue, outcome });
  }
}
