import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { RedisQueueReader } from '../broker/redis-queue-reader.ts';
import { KubeClient } from '../kube/api.ts';
import { loadKubeConfig } from '../kube/config.ts';
import { kubeMetrics } from '../operator/kube-metrics.ts';
import { Operator } from '../operator/operator.ts';
import { readOperatorDefault } from '../operator/operator-settings.ts';
import { openRedis } from '../redis/open.ts';
import { systemClock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import { probe, serveHttp } from '../runtime/http.ts';
import { createLogger } from '../runtime/json-logger.ts';
import { StopSignals } from '../runtime/lifecycle.ts';
import type { Logger, LogLevel } from '../runtime/logger.ts';
import { createRegistry, metricsRoute } from '../runtime/metrics.ts';

/** The flags of `asynq-operator operator`; the default connection to Redis comes from `env` (`readOperatorDefault`). */
export interface OperatorFlags {
  /** Path of a kubeconfig. @default what kubectl would use, in a pod its ServiceAccount */
  readonly kubeconfig?: string;
  /** Namespaces to serve. @default all */
  readonly watchNamespaces?: readonly string[];
  /** false: this process is the only one. */
  readonly leaderElect: boolean;
  /** Name of the Lease. */
  readonly leaseName: string;
  /** Namespace of the Lease. @default that of the pod, or of the kubeconfig's context */
  readonly leaseNamespace?: string;
  /** Image of workers that name none. */
  readonly workerImage: string;
  readonly logLevel: LogLevel;
  readonly metricsPort: number;
  readonly healthPort: number;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `asynq-operator operator`: runs until a signal. Resolves to the exit code; 1 also when the leadership was lost. */
export async function main(flags: OperatorFlags): Promise<number> {
  const log = createLogger({ level: flags.logLevel });
  using signals = new StopSignals();
  try {
    return await run(flags, log, signals);
  } catch (error) {
    log.error(AsynqError.is(error) ? { code: error.code } : { err: error }, errorText(error));
    return 1;
  }
}

async function run(flags: OperatorFlags, log: Logger, signals: StopSignals): Promise<number> {
  const { kubeconfig, watchNamespaces, leaseName, env } = flags;
  const clock = systemClock;
  const registry = createRegistry();
  const operatorDefault = readOperatorDefault(env);
  const credentials = await loadKubeConfig({ ...(kubeconfig !== undefined && { path: kubeconfig }) });
  const client = new KubeClient({
    credentials,
    userAgent: `asynq-operator/${flags.version}`,
    clock,
    log,
    observer: kubeMetrics(registry),
  });
  const instance = env['POD_NAME'] ?? hostname();
  const namespace = flags.leaseNamespace ?? env['POD_NAMESPACE'] ?? client.namespace;
  const operator = new Operator({
    client,
    ...(watchNamespaces && { namespaces: watchNamespaces }),
    ...(flags.leaderElect && {
      election: { namespace, name: leaseName, identity: `${instance}_${randomUUID()}` },
    }),
    instance,
    ...(operatorDefault && { operatorDefault }),
    defaultImage: flags.workerImage,
    redis: {
      open: (options) => openRedis(options, { clock, log }),
      reader: (router) => new RedisQueueReader(router),
    },
    registry,
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => client.close());
  const health = await serveHttp({
    port: flags.healthPort,
    routes: {
      '/healthz': probe(() => operator.liveProblem()),
      '/readyz': probe(() => operator.readyProblem()),
    },
    log,
  });
  stack.defer(() => health.close());
  const metrics = await serveHttp({
    port: flags.metricsPort,
    routes: { '/metrics': metricsRoute(registry) },
    log,
  });
  stack.defer(() => metrics.close());

  signals.graceful.addEventListener('abort', () => void operator.stop(), { once: true });
  if (signals.graceful.aborted) return 0;
  log.info({ version: flags.version, namespaces: watchNamespaces ?? 'all', instance }, 'started');
  const end = await Promise.race([operator.run(), forced(signals.forceful)]);
  log.info({ end }, 'ended');
  return end === 'stopped' ? 0 : 1;
}

function forced(signal: AbortSignal): Promise<'forced'> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve('forced'), { once: true });
  });
}
