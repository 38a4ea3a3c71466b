import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { KubeObserver } from '../kube/observer.ts';

const DURATIONS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/** What happens between us and the API server, under the names of client-go and controller-runtime: dashboards know them. */
export function kubeMetrics(registry: Registry): KubeObserver {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({ name, help, labelNames, registers, buckets: DURATIONS });

  const requests = counter('rest_client_requests_total', 'Requests to the API server.', ['code', 'method']);
  const throttled = counter(
    'asynq_operator_throttled_seconds_total',
    'Time that requests waited for the client-side rate limit.',
    [],
  );
  const relists = counter('asynq_operator_relists_total', 'Collections that were read again as a whole.', [
    'resource',
    'reason',
  ]);
  const watches = counter('asynq_operator_watches_ended_total', 'Watches that ended.', [
    'resource',
    'reason',
  ]);
  const droppedWatch = counter('asynq_operator_watch_events_dropped_total', 'Watch events set aside.', [
    'resource',
    'reason',
  ]);
  const depth = gauge('workqueue_depth', 'Keys that wait.', ['name']);
  const adds = counter('workqueue_adds_total', 'Keys that were added.', ['name']);
  const retries = counter('workqueue_retries_total', 'Keys that were added after a failure.', ['name']);
  const waited = histogram('workqueue_queue_duration_seconds', 'Time that a key waits.', ['name']);
  const worked = histogram('workqueue_work_duration_seconds', 'Time that a key takes.', ['name']);
  const reconciles = counter('controller_runtime_reconcile_total', 'Reconciles.', ['controller', 'result']);
  const reconcileTime = histogram('controller_runtime_reconcile_time_seconds', 'Time of a reconcile.', [
    'controller',
  ]);
  const leading = gauge('leader_election_master_status', '1 while this process leads.', ['name']);
  const droppedEvents = counter('asynq_operator_events_dropped_total', 'Events that were not written.', [
    'reason',
  ]);

  return {
    request: ({ verb, code }) => requests.inc({ code: String(code), method: verb }),
    throttled: ({ waitedMs }) => throttled.inc(waitedMs / 1000),
    relisted: (event) => relists.inc(event),
    watchEnded: (event) => watches.inc(event),
    watchEventDropped: (event) => droppedWatch.inc(event),
    queueAdded: (event) => {
      adds.inc({ name: event.queue });
      depth.set({ name: event.queue }, event.depth);
    },
    queueTaken: (event) => {
      depth.set({ name: event.queue }, event.depth);
      waited.observe({ name: event.queue }, event.waitedMs / 1000);
    },
    queueDone: ({ queue, workedMs }) => worked.observe({ name: queue }, workedMs / 1000),
    queueRetried: ({ queue }) => retries.inc({ name: queue }),
    reconciled: ({ controller, result, durationMs }) => {
      reconciles.inc({ controller, result });
      reconcileTime.observe({ controller }, durationMs / 1000);
    },
    leading: (event) => leading.set({ name: event.lease }, Number(event.leading)),
    eventDropped: (event) => droppedEvents.inc(event),
  };
}
