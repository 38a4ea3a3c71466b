import { collectDefaultMetrics, Registry } from 'prom-client';
import type { HttpRoute } from './http.ts';

/** A registry of its own (two may live in one process) with the figures of the process in it. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** A route that serves the registry in the text format of Prometheus. */
export function metricsRoute(registry: Registry): HttpRoute {
  return async () => ({ status: 200, body: await registry.metrics(), contentType: registry.contentType });
}
