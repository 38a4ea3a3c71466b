import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { BlockingLines } from './blocking-lines.ts';
import { ANY_SLOT, Call, evalshaArgs } from './call.ts';
import type { Connection } from './connection.ts';
import { Dispatcher, type TopologyParts } from './dispatcher.ts';
import type {
  CallOptions,
  ClusterNode,
  KeyLocation,
  RedisArg,
  RedisReply,
  RedisRouter,
  ReplicaWait,
  Script,
} from './router.ts';
import { keySlot } from './slots.ts';
import { Subscription } from './subscription.ts';
import type { Topology } from './topology.ts';

const CALL_TIMEOUT_MS = 10_000;

/** Tries of what any node can do, within that time. */
const MAX_NODES_ASKED = 4;

/** The router of a cluster, and of a standalone server: they differ in their topology only. */
export class LaneRouter implements RedisRouter {
  readonly #dispatcher: Dispatcher;
  readonly #parts: LaneRouterParts;
  readonly #closed = new AbortController();
  readonly #subscriptions = new Set<Promise<void>>();
  readonly #blocking: BlockingLines;

  constructor(parts: LaneRouterParts) {
    this.#parts = parts;
    this.#dispatcher = new Dispatcher(parts);
    const { topology } = this.#dispatcher;
    this.#blocking = new BlockingLines((key) => ({
      owner: async () => (await topology.locate(keySlot(key))).master.addr,
      dial: parts.dial,
      onTrouble: () => void topology.refresh(),
    }));
  }

  run(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArg[],
    options?: CallOptions,
  ): Promise<RedisReply> {
    const slot = keySlot(keys[0] ?? '');
    const resent = options?.argsWhenResent;
    return this.#call(slot, 'EVALSHA', evalshaArgs(script, keys, args), {
      script,
      timeout: options?.timeout,
      argsWhenResent: resent && (() => evalshaArgs(script, keys, resent())),
      replicas: options?.replicas,
    });
  }

  command(key: string, name: string, args: readonly RedisArg[], options?: CallOptions): Promise<RedisReply> {
    return this.#call(keySlot(key), name.toUpperCase(), args, { timeout: options?.timeout });
  }

  block(
    key: string,
    name: string,
    args: readonly RedisArg[],
    options: { readonly timeout: number; readonly signal: AbortSignal },
  ): Promise<RedisReply> {
    this.#throwIfClosed();
    return this.#blocking.call(key, name, args, options.timeout, options.signal);
  }

  async locate(key: string): Promise<KeyLocation> {
    this.#throwIfClosed();
    return this.#dispatcher.topology.locate(keySlot(key));
  }

  async masters(): Promise<readonly ClusterNode[]> {
    this.#throwIfClosed();
    return this.#dispatcher.topology.masters();
  }

  async subscribe(channel: string, onMessage: (message: string) => void, signal: AbortSignal): Promise<void> {
    this.#throwIfClosed();
    const { clock, random, log } = this.#parts;
    const subscription = new Subscription({
      channel,
      onMessage,
      connect: (ending) => this.#connectToSomeNode(ending),
      signal: AbortSignal.any([signal, this.#closed.signal]),
      clock,
      random,
      log,
    });
    const run = subscription.run().finally(() => this.#subscriptions.delete(run));
    this.#subscriptions.add(run);
    await subscription.standing;
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#askSomeNode('PUBLISH', [channel, message]);
  }

  async ping(): Promise<void> {
    await this.#askSomeNode('PING', []);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all([this.#dispatcher.close(), ...this.#subscriptions, this.#blocking.close()]);
  }

  /** What any node can do is not left to one that hangs: the next try goes to another. */
  async #askSomeNode(name: string, args: string[]): Promise<RedisReply> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#call(ANY_SLOT, name, args, { timeout: CALL_TIMEOUT_MS / MAX_NODES_ASKED });
      } catch (error) {
        if (tries === MAX_NODES_ASKED || !AsynqError.is(error, 'ASYNQ_REDIS_UNREACHABLE')) throw error;
      }
    }
  }

  #call(
    slot: number,
    name: string,
    args: readonly RedisArg[],
    options?: {
      readonly script?: Script;
      readonly timeout?: number | undefined;
      readonly argsWhenResent?: (() => readonly RedisArg[]) | undefined;
      readonly replicas?: ReplicaWait | undefined;
    },
  ): Promise<RedisReply> {
    return new Promise((resolve, reject) => {
      const { script, timeout = CALL_TIMEOUT_MS, argsWhenResent, replicas } = options ?? {};
      const deadline = this.#parts.clock.monotonic() + timeout;
      this.#dispatcher.send(
        new Call({ slot, script, name, args, argsWhenResent, replicas, timeout, deadline, resolve, reject }),
      );
    });
  }

  async #connectToSomeNode(signal: AbortSignal): Promise<Connection> {
    const { topology } = this.#dispatcher;
    if (!topology.isKnown) await topology.refresh();
    const addr = this.#dispatcher.someNode();
    if (addr === undefined) throw topology.problem ?? new AsynqError('ASYNQ_CLOSED');
    return this.#parts.dial(addr, signal);
  }

  #throwIfClosed(): void {
    if (this.#closed.signal.aborted) {
      throw new AsynqError('ASYNQ_CLOSED', 'the connection to Redis was closed');
    }
  }
}

export interface LaneRouterParts {
  readonly dial: (addr: string, signal: AbortSignal) => Promise<Connection>;
  readonly topology: (parts: TopologyParts) => Topology;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}
