import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Findings } from '../../../src/operator/conditions.ts';
import { QueueMetrics } from '../../../src/operator/queue-metrics.ts';
import { fleetOf, queueOf, snapshotOf } from './builders.ts';
import { UNREACHABLE } from './memory-ends.ts';

let registry: Registry;
let metrics: QueueMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = new QueueMetrics(registry);
});

const queue = queueOf({}, { queue: 'imágenes' });
const seen: Findings = {
  queue,
  refusal: undefined,
  reading: {
    kind: 'known',
    snapshot: snapshotOf({
      size: { pending: 3, retry: 2 },
      latencySeconds: 1.5,
      processed: 9,
      failed: 4,
      paused: true,
    }),
  },
  fleet: fleetOf({ replicas: 2, readyReplicas: 1 }),
  decision: undefined,
  isContested: false,
};

/** Series -> value, of those whose name starts with `prefix`. */
async function series(prefix: string): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(prefix));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

describe('the metrics of a queue', () => {
  it("carry the names of asynq's exporter, and whose queue it is", async () => {
    metrics.decided(queue, seen);
    const labels = '{namespace="media",name="imagenes",queue="imágenes"}';
    expect(await series('asynq_queue')).toEqual({
      [`asynq_queue_size${labels}`]: 5,
      [`asynq_queue_latency_seconds${labels}`]: 1.5,
      [`asynq_queue_paused_total${labels}`]: 1,
    });
    expect(await series('asynq_tasks')).toMatchObject({
      [`asynq_tasks_processed_total${labels}`]: 9,
      [`asynq_tasks_failed_total${labels}`]: 4,
      [`asynq_tasks_enqueued_total${labels.replace('}', ',state="retry"}')}`]: 2,
    });
    expect(await series('asynq_operator')).toMatchObject({
      [`asynq_operator_redis_up${labels}`]: 1,
      [`asynq_operator_replicas${labels}`]: 2,
      [`asynq_operator_ready_replicas${labels}`]: 1,
    });
  });

  it('are not there while they are not known', async () => {
    metrics.decided(queue, { ...seen, reading: { kind: 'unknown', error: UNREACHABLE } });
    expect(await series('asynq_queue')).toEqual({});
    expect(Object.values(await series('asynq_operator_redis_up'))).toEqual([0]);
  });

  it('say why an AsynqQueue is stalled', async () => {
    metrics.decided(queue, { ...seen, refusal: { reason: 'QueueConflict', message: '' } });
    expect(Object.keys(await series('asynq_operator_stalled'))).toEqual([
      expect.stringContaining('reason="QueueConflict"'),
    ]);
  });

  it('count changes of the number of workers', async () => {
    metrics.scaled(queue, 0, 3);
    metrics.scaled(queue, 3, 5);
    metrics.scaled(queue, 5, 0);
    expect(await series('asynq_operator_scaled_total')).toEqual({
      'asynq_operator_scaled_total{namespace="media",name="imagenes",direction="up"}': 2,
      'asynq_operator_scaled_total{namespace="media",name="imagenes",direction="down"}': 1,
    });
  });

  it('vanish with the AsynqQueue', async () => {
    metrics.decided(queue, seen);
    metrics.scaled(queue, 0, 3);
    metrics.forgotten('media/imagenes');
    expect(await series('asynq_')).toEqual({});
  });
});
