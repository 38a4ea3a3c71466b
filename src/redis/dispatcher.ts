import { type Backoff, exponentialMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { ANY_SLOT, Call } from './call.ts';
import type { Connection } from './connection.ts';
import { isPassing, type LaneEvents, NodeLane } from './node-lane.ts';
import { OpenCalls } from './open-calls.ts';
import { type Refusal, replyError } from './reply-error.ts';
import type { RedisArg, RedisReply } from './router.ts';
import type { AskNode, Topology } from './topology.ts';

/** Who has not said by now who serves what is not the one to learn it from. */
const ASK_TIMEOUT_MS = 2_000;

/** Sent on so often in a row, a call pauses first: nodes that disagree need a moment to agree. */
const PROMPT_REDIRECTS = 4;

const RETRY: Backoff = { baseMs: 25, capMs: 500 };

/** What a topology needs of the ways to the nodes. */
export interface TopologyParts {
  readonly ask: AskNode;
  readonly isUp: (addr: string) => boolean;
  readonly onRefreshed: () => void;
}

/**
 * Brings each call to the node that serves its slot, and settles it: with the reply, with an error that asking again
 * would not change, or, when its time is over, with what stood in the way last.
 *
 * A lane is made for each node when first needed, and closed when the topology does not know the node as a master; calls
 * that it still has then look for the new owner. One that answers may finish first: such a node is on its way out, or in.
 */
export class Dispatcher implements LaneEvents {
  readonly topology: Topology;
  readonly #dial: (addr: string, signal: AbortSignal) => Promise<Connection>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #lanes = new Map<string, NodeLane>();
  readonly #open: OpenCalls;
  readonly #closed = new AbortController();

  constructor(parts: {
    dial: (addr: string, signal: AbortSignal) => Promise<Connection>;
    topology: (parts: TopologyParts) => Topology;
    clock: Clock;
    random: Random;
    log: Logger;
  }) {
    this.#dial = parts.dial;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#log = parts.log;
    this.#open = new OpenCalls(parts.clock, (call) => this.#expired(call));
    this.topology = parts.topology({
      ask: (addr, name, args) => this.#ask(addr, name, args),
      isUp: (addr) => this.#lanes.get(addr)?.isWell ?? false,
      onRefreshed: () => this.#closeLanesOfOthers(),
    });
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  send(call: Call): void {
    if (this.isClosed)
      return call.reject(new AsynqError('ASYNQ_CLOSED', 'the connection to Redis was closed'));
    this.#open.add(call);
    this.#dispatch(call);
  }

  /** A node that could serve a call for any: one that is well, else one that is not known to be away. */
  someNode(): string | undefined {
    const addrs = this.topology.masterAddrs();
    return (
      addrs.find((addr) => this.#lanes.get(addr)?.isWell) ??
      addrs.find((addr) => this.#lanes.get(addr)?.problem === undefined) ??
      addrs[Math.floor(this.#random() * addrs.length)]
    );
  }

  /** Rejects what is open and ends every connection; harmless when done before. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.topology.close();
    for (const call of this.#open.drain()) {
      call.reject(new AsynqError('ASYNQ_CLOSED', 'the connection to Redis was closed before the reply'));
    }
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }

  onReply(call: Call, reply: RedisReply): void {
    if (call.settled) return;
    this.#open.delete(call);
    call.resolve(reply);
  }

  onRefused(lane: NodeLane, call: Call, refusal: Exclude<Refusal, { kind: 'noscript' }>, text: string): void {
    if (call.settled) return;
    call.refusals++;
    const said = (code: AsynqError['code']) => replyError(code, call.name, lane.addr, text);
    if (refusal.kind === 'final') return this.#reject(call, said(refusal.code));
    if (call.node !== undefined) return this.#reject(call, said('ASYNQ_REDIS_UNREACHABLE'));
    switch (refusal.kind) {
      case 'moved':
        if (!this.topology.moved(refusal.slot, refusal.addr))
          this.#reject(call, partOfCluster(lane.addr, text));
        else this.#redirect(call, said('ASYNQ_REDIS_UNREACHABLE'), () => this.#dispatch(call));
        break;
      case 'ask':
        this.#redirect(call, said('ASYNQ_REDIS_UNREACHABLE'), () => {
          call.asking = true;
          this.#laneTo(refusal.addr).send(call);
        });
        break;
      case 'readonly':
        // Behind the same name another server may be master by now.
        lane.reconnect(said('ASYNQ_REDIS_UNREACHABLE'));
        void this.topology.refresh();
        this.#later(call, said('ASYNQ_REDIS_UNREACHABLE'));
        break;
      case 'again':
        void this.topology.refresh();
        this.#later(call, said('ASYNQ_REDIS_UNREACHABLE'));
    }
  }

  onReturned(_lane: NodeLane, call: Call, error: AsynqError): void {
    if (call.settled) return;
    if (call.node !== undefined || !isPassing(error)) return this.#reject(call, error);
    call.asking = false;
    call.refusals++;
    this.#redirect(call, error, () => this.#dispatch(call));
  }

  onTrouble(): void {
    void this.topology.refresh();
  }

  #dispatch(call: Call): void {
    if (call.settled) return;
    const addr = this.#nodeFor(call);
    if (addr === undefined) void this.topology.refresh().then(() => this.#dispatchOrWait(call));
    else this.#laneTo(addr).send(call);
  }

  #dispatchOrWait(call: Call): void {
    if (call.settled) return;
    const { problem } = this.topology;
    const addr = this.#nodeFor(call);
    if (addr !== undefined) this.#laneTo(addr).send(call);
    else if (problem !== undefined && !isPassing(problem)) this.#reject(call, problem);
    else {
      call.refusals++;
      this.#later(call, problem);
    }
  }

  #nodeFor(call: Call): string | undefined {
    return call.slot === ANY_SLOT ? this.someNode() : this.topology.ownerOf(call.slot);
  }

  #laneTo(addr: string): NodeLane {
    let lane = this.#lanes.get(addr);
    if (lane === undefined) {
      lane = new NodeLane(addr, {
        dial: (signal) => this.#connect(addr, signal),
        events: this,
        clock: this.#clock,
        random: this.#random,
        log: this.#log,
      });
      this.#lanes.set(addr, lane);
    }
    return lane;
  }

  async #connect(addr: string, signal: AbortSignal): Promise<Connection> {
    const connection = await this.#dial(addr, signal);
    this.topology.connected();
    return connection;
  }

  #redirect(call: Call, why: AsynqError, now: () => void): void {
    if (call.refusals <= PROMPT_REDIRECTS) now();
    else this.#later(call, why);
  }

  #later(call: Call, why: AsynqError | undefined): void {
    call.problem = why;
    const ms = exponentialMs(call.refusals, RETRY) * (0.5 + this.#random() / 2);
    void this.#clock.sleep(ms, this.#closed.signal).then(() => this.#dispatch(call));
  }

  #reject(call: Call, error: AsynqError): void {
    this.#open.delete(call);
    call.reject(error);
  }

  #expired(call: Call): void {
    if (call.settled) return;
    const addr = call.node ?? this.#nodeFor(call);
    const cause = call.problem ?? (addr === undefined ? undefined : this.#lanes.get(addr)?.problem);
    if (cause === undefined) call.reject(late(call, addr ?? 'the cluster'));
    else call.reject(call.isPatient ? this.topology.unserved(call.slot, cause) : cause);
    if (call.node === undefined) void this.topology.refresh();
  }

  #ask(addr: string, name: string, args: readonly RedisArg[]): Promise<RedisReply> {
    return new Promise((resolve, reject) => {
      const timeout = ASK_TIMEOUT_MS;
      const deadline = this.#clock.monotonic() + timeout;
      const call = new Call({ slot: ANY_SLOT, node: addr, name, args, timeout, deadline, resolve, reject });
      if (this.isClosed) return call.reject(new AsynqError('ASYNQ_CLOSED'));
      this.#open.add(call);
      this.#laneTo(addr).send(call);
    });
  }

  #closeLanesOfOthers(): void {
    const masters = new Set(this.topology.masterAddrs());
    for (const [addr, lane] of this.#lanes) {
      if (masters.has(addr) || lane.isServing) continue;
      this.#lanes.delete(addr);
      void lane.close();
    }
  }
}

function late(call: Call, addr: string): AsynqError {
  return new AsynqError(
    'ASYNQ_REDIS_UNREACHABLE',
    `${addr} did not answer ${call.name} within ${call.timeout} ms`,
  );
}

function partOfCluster(addr: string, text: string): AsynqError {
  return new AsynqError(
    'ASYNQ_REDIS_COMMAND',
    `${addr} is part of a Redis Cluster, expected a server of its own: ${text}`,
  );
}
