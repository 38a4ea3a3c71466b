import type { Broker, GroupPolicy, ServerState } from '../broker/broker.ts';
import type { Logger } from '../runtime/logger.ts';
import { Aggregator } from './aggregator.ts';
import type { Component } from './component.ts';
import type { ResolvedConfig, ServerObserver } from './config.ts';
import { Fetcher } from './fetcher.ts';
import { Forwarder } from './forwarder.ts';
import { aggregateFunction } from './group-aggregator.ts';
import type { HandlerFunction } from './handler.ts';
import { HealthChecker } from './health-checker.ts';
import { Heartbeater } from './heartbeater.ts';
import { Janitor } from './janitor.ts';
import { Judge } from './judge.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { Processor } from './processor.ts';
import type { QueueSet } from './queue-set.ts';
import { Recoverer } from './recoverer.ts';
import { Subscriber } from './subscriber.ts';
import { Syncer } from './syncer.ts';
import { Waiter } from './waiter.ts';

/** The parts of one server, joined. Those that run are named as in Go's asynq, and listed in its order of starting. */
export interface ServerParts {
  readonly processor: Processor;
  readonly syncer: Syncer;
  readonly aggregator: Aggregator | undefined;
  readonly components: {
    readonly heartbeater: Component;
    readonly leaseKeeper: Component;
    readonly healthChecker?: Component;
    readonly subscriber: Component;
    readonly syncer: Component;
    readonly recoverer: Component;
    readonly forwarder: Component;
    readonly waiter: Component;
    readonly fetcher: Component;
    readonly janitor: Component;
    readonly aggregator?: Component;
  };
}

export interface ServerMaterial {
  readonly broker: Broker;
  readonly config: ResolvedConfig;
  /** Of the parts; what the user's functions do is told to that of `config`. */
  readonly log: Logger;
  readonly queues: QueueSet;
  readonly handle: HandlerFunction;
  /** What the server announces of itself. */
  readonly state: () => ServerState;
}

export function joinParts({ broker, config, log, queues, handle, state }: ServerMaterial): ServerParts {
  const { clock, random, leaseDuration } = config;
  const { serverId } = state();
  const common = { broker, clock, random, log, queues, leaseDuration };
  const observer = guarded(config);
  const judge = new Judge(config);
  const syncer = new Syncer({
    ...common,
    onSettled: (task, outcome) => {
      fetcher.settled(task.queue);
      observer.settled(task.queue, outcome);
    },
  });
  const processor = new Processor({
    ...common,
    log: config.log,
    concurrency: config.concurrency,
    stopGrace: config.stopGrace,
    prefetch: config.prefetch && !config.strictPriority,
    handle,
    settle: (task, settlement) => syncer.settle(task, settlement),
    lose: (task) => syncer.lose(task),
    judge: (task, thrown) => judge.judge(task.leased, task.task, thrown),
    onHandled: (task, durationMs) => observer.handled(task.queue, durationMs),
  });
  const waiter = new Waiter({ ...common, waiter: serverId, onPending: () => fetcher.nudge() });
  const fetcher: Fetcher = new Fetcher({
    ...common,
    onEmpty: (queue) => waiter.watch(queue),
    strictPriority: config.strictPriority,
    processor,
    taskCheckInterval: config.taskCheckInterval,
  });
  const aggregate = aggregateFunction(config.groupAggregator);
  const aggregator =
    aggregate &&
    new Aggregator({
      ...common,
      aggregate: (group, tasks, context) => {
        const own = config.log.child({ queue: context.queue, group });
        return aggregate(group, tasks, { ...context, log: own });
      },
      policy: groupPolicy(config),
      looker: serverId,
      onMade: () => fetcher.nudge(),
    });
  const { healthCheck } = config;
  return {
    processor,
    syncer,
    aggregator,
    components: {
      heartbeater: new Heartbeater({ ...common, state }),
      leaseKeeper: new LeaseKeeper({ ...common, processor }),
      ...(healthCheck && {
        healthChecker: new HealthChecker({ ...common, healthCheck, intervalMs: config.healthCheckInterval }),
      }),
      subscriber: new Subscriber({ ...common, onCancel: (taskId) => processor.cancel(taskId) }),
      syncer,
      recoverer: new Recoverer({
        ...common,
        judge: (leased) => judge.judgeLost(leased),
        settle: (task, settlement) => syncer.settle(task, settlement),
      }),
      forwarder: new Forwarder({
        ...common,
        longestSleep: config.delayedTaskCheckInterval,
        onMoved: () => fetcher.nudge(),
      }),
      waiter,
      fetcher,
      janitor: new Janitor({
        ...common,
        intervalMs: config.janitorInterval,
        batchSize: config.janitorBatchSize,
      }),
      ...(aggregator && { aggregator }),
    },
  };
}

function groupPolicy(config: ResolvedConfig): GroupPolicy {
  const { groupGracePeriod: gracePeriod, groupMaxDelay: maxDelay, groupMaxSize: maxSize } = config;
  return { gracePeriod, maxDelay, maxSize };
}

/** The user's observer with every method there and none that throws. */
function guarded({ observer, log }: ResolvedConfig): Required<ServerObserver> {
  const bearing = (call: () => void) => {
    try {
      call();
    } catch (err) {
      log.error({ err }, 'an observer threw');
    }
  };
  return {
    handled: (queue, durationMs) => bearing(() => observer?.handled?.(queue, durationMs)),
    settled: (queue, outcome) => bearing(() => observer?.settled?.(queue, outcome)),
  };
}
