import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { AsynqError } from '../runtime/errors.ts';
import { type HttpServer, probe, serveHttp } from '../runtime/http.ts';
import { unlessAborted } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRegistry, metricsRoute } from '../runtime/metrics.ts';
import type { WorkerEnv } from '../runtime/worker-env.ts';
import type { ServerConfig } from './config.ts';
import type { AggregateFunction } from './group-aggregator.ts';
import { loadHandlers } from './handler-loader.ts';
import { Server } from './server.ts';
import { WorkerMetrics } from './worker-metrics.ts';
import { redisOf } from './worker-redis.ts';

/** Slots may be lost to handlers that do not listen for so long before the kubelet is told to restart the worker. */
const STUCK_MS = 30_000;

export interface WorkerParts {
  /** Of the HTTP server for probes and metrics; 0 picks a free one. */
  readonly port: number;
  /** @default all interfaces */
  readonly host?: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** When it aborts while the handlers module loads, the worker is not started: a module may take for ever. */
  readonly signal?: AbortSignal;
}

export interface Worker {
  /** The port of its HTTP server. */
  readonly port: number;
  /** Drains: no task is taken, those at work end or go back to their queues; when `signal` aborts, at once. */
  stop(signal?: AbortSignal): Promise<void>;
  /** Takes no more tasks; those at work go on, and the worker stays. */
  quiet(): void;
}

/**
 * The worker runtime: a server on the queues that its environment names, and nothing else, with the user's handlers, and
 * an HTTP server that says how it is.
 *
 * Alive (/healthz): unless every slot is lost to handlers that do not listen. Ready (/readyz): while it takes tasks.
 * Neither asks Redis: a worker without Redis heals by waiting, and restarting a fleet would not bring Redis back.
 *
 * @throws ASYNQ_HANDLERS_MODULE, ASYNQ_CONFIG_INVALID, ASYNQ_CLOSED when `signal` aborted; nothing runs then
 */
export async function runWorker(env: WorkerEnv, parts: WorkerParts): Promise<Worker> {
  const { clock, log, signal } = parts;
  let server: Server | undefined;
  const queues = Object.keys(env.queues);
  const registry = createRegistry();
  const metrics = new WorkerMetrics(registry, queues, () => server?.running ?? new Map());
  const http = await serveHttp({
    ...defined({ host: parts.host }),
    port: parts.port,
    routes: {
      '/healthz': probe(() => stuckFor(server?.stuckSince, clock.now())),
      '/readyz': probe(() => (server?.status === 'active' ? undefined : (server?.status ?? 'starting'))),
      '/metrics': metricsRoute(registry),
    },
    log,
  });
  try {
    const handlers = await unlessAborted(loadHandlers(env.handlers), signal);
    if (handlers === undefined) {
      throw new AsynqError('ASYNQ_CLOSED', 'the worker was stopped before it had started');
    }
    const { handler, aggregate } = handlers;
    server = new Server(await redisOf(env), {
      ...groupConfig(env, aggregate),
      queues: env.queues,
      concurrency: env.concurrency,
      shutdownTimeout: env.shutdownTimeoutSeconds * 1000,
      observer: metrics,
      clock,
      log,
      ...defined({ host: env.podName }),
    });
    server.start(handler);
    return workerOf(server, http);
  } catch (error) {
    await http.close();
    throw error;
  }
}

function workerOf(server: Server, http: HttpServer): Worker {
  return {
    port: http.port,
    stop: async (signal) => {
      await server.shutdown(defined({ signal }));
      await http.close();
    },
    quiet: () => server.stop(),
  };
}

/** Groups are aggregated where the module can; that it cannot where it is asked to would leave their tasks lying. */
function groupConfig(
  { groups, handlers }: WorkerEnv,
  aggregate: AggregateFunction | undefined,
): ServerConfig {
  if (aggregate === undefined) {
    if (groups === undefined) return {};
    throw new AsynqError(
      'ASYNQ_HANDLERS_MODULE',
      `handlers module ${handlers}: ASYNQ_GROUPS is set, expected an export aggregate, got none`,
    );
  }
  if (groups === undefined) return { groupAggregator: aggregate };
  return {
    groupAggregator: aggregate,
    groupGracePeriod: groups.gracePeriodSeconds * 1000,
    groupMaxDelay: groups.maxDelaySeconds * 1000,
    groupMaxSize: groups.maxSize,
  };
}

function stuckFor(since: number | undefined, now: number): string | undefined {
  if (since === undefined || now - since < STUCK_MS) return undefined;
  const seconds = Math.round((now - since) / 1000);
  return `every slot is held by a handler that was told to stop ${seconds} s ago or earlier and did not`;
}
