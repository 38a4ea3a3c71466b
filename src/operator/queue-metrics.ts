import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueSnapshot } from '../broker/queue-reader.ts';
import { type AsynqQueue, keyOf, queueName } from './asynq-queue.ts';
import type { Findings } from './conditions.ts';
import type { QueueKey } from './ends.ts';
import type { ReconcilerListener } from './reconciler.ts';

/** `queue` is the name in Redis, as asynq's own exporter has it; the others are the AsynqQueue's. */
const LABELS = ['namespace', 'name', 'queue'] as const;

interface Figure {
  readonly name: string;
  readonly help: string;
  /** undefined: not known, so not shown. */
  readonly value: (findings: Findings) => number | undefined;
}

const snapshotOf = ({ reading }: Findings): QueueSnapshot | undefined =>
  reading?.kind === 'known' ? reading.snapshot : undefined;

const sizeOf = (findings: Findings): number | undefined => {
  const size = snapshotOf(findings)?.size;
  return size && Object.values(size).reduce((sum, count) => sum + count, 0);
};

/** Names of the first five are those of asynq's exporter. */
const FIGURES: readonly Figure[] = [
  { name: 'asynq_queue_size', help: 'Number of tasks in a queue, of all states.', value: sizeOf },
  {
    name: 'asynq_queue_latency_seconds',
    help: 'Seconds that the oldest pending task has waited.',
    value: (it) => snapshotOf(it)?.latencySeconds,
  },
  {
    name: 'asynq_queue_paused_total',
    help: '1 while the queue is paused.',
    value: (it) => {
      const paused = snapshotOf(it)?.paused;
      return paused === undefined ? undefined : Number(paused);
    },
  },
  {
    name: 'asynq_tasks_processed_total',
    help: 'Tasks processed, failed ones too.',
    value: (it) => snapshotOf(it)?.processed,
  },
  {
    name: 'asynq_tasks_failed_total',
    help: 'Tasks that failed.',
    value: (it) => snapshotOf(it)?.failed,
  },
  {
    name: 'asynq_operator_redis_up',
    help: '1 while the queue can be read, 0 while it cannot.',
    value: ({ reading }) => reading && Number(reading.kind === 'known'),
  },
  {
    name: 'asynq_operator_desired_replicas',
    help: 'Workers that the last decision wants.',
    value: ({ decision }) => decision?.desired,
  },
  { name: 'asynq_operator_replicas', help: 'Workers asked for.', value: ({ fleet }) => fleet?.replicas },
  {
    name: 'asynq_operator_ready_replicas',
    help: 'Workers that are ready.',
    value: ({ fleet }) => fleet?.readyReplicas,
  },
];

/** What is known of each AsynqQueue, as of its last reconcile; only the leader has any. */
export class QueueMetrics implements ReconcilerListener {
  readonly #latest = new Map<QueueKey, Findings>();
  readonly #scaled: Counter<'namespace' | 'name' | 'direction'>;

  constructor(registry: Registry) {
    for (const { name, help, value } of FIGURES) {
      this.#gauge(registry, name, help, LABELS, (gauge) => {
        for (const findings of this.#latest.values()) {
          const figure = value(findings);
          if (figure !== undefined) gauge.set(labels(findings.queue), figure);
        }
      });
    }
    const states = 'Tasks in a queue by state.';
    this.#gauge(registry, 'asynq_tasks_enqueued_total', states, [...LABELS, 'state'], (gauge) => {
      for (const findings of this.#latest.values()) {
        for (const [state, count] of Object.entries(snapshotOf(findings)?.size ?? {})) {
          gauge.set({ ...labels(findings.queue), state }, count);
        }
      }
    });
    const stalled = 'AsynqQueues that wait for somebody to change something, and why.';
    this.#gauge(registry, 'asynq_operator_stalled', stalled, [...LABELS, 'reason'], (gauge) => {
      for (const { queue, refusal } of this.#latest.values()) {
        if (refusal !== undefined) gauge.set({ ...labels(queue), reason: refusal.reason }, 1);
      }
    });
    this.#scaled = new Counter({
      name: 'asynq_operator_scaled_total',
      help: 'Changes of the number of workers.',
      labelNames: ['namespace', 'name', 'direction'],
      registers: [registry],
    });
  }

  decided(queue: AsynqQueue, findings: Findings): void {
    this.#latest.set(keyOf(queue), findings);
  }

  scaled({ metadata }: AsynqQueue, from: number, to: number): void {
    const { namespace, name } = metadata;
    this.#scaled.inc({ namespace, name, direction: to > from ? 'up' : 'down' });
  }

  forgotten(key: QueueKey): void {
    const queue = this.#latest.get(key)?.queue;
    this.#latest.delete(key);
    if (queue === undefined) return;
    const { namespace, name } = queue.metadata;
    for (const direction of ['up', 'down']) this.#scaled.remove({ namespace, name, direction });
  }

  #gauge<L extends string>(
    registry: Registry,
    name: string,
    help: string,
    labelNames: readonly L[],
    fill: (gauge: Gauge<L>) => void,
  ): void {
    const gauge: Gauge<L> = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect: () => {
        gauge.reset();
        fill(gauge);
      },
    });
  }
}

function labels(queue: AsynqQueue): Record<(typeof LABELS)[number], string> {
  const { namespace, name } = queue.metadata;
  return { namespace, name, queue: queueName(queue) };
}
