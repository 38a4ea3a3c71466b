import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { parseReplicas, withReplicas } from './cluster-replicas.ts';
import { firstAnswer } from './first-answer.ts';
import { nobodyAnswered } from './nobody-answered.ts';
import { Refresher } from './refresher.ts';
import type { ClusterNode, KeyLocation } from './router.ts';
import { parseClusterSlots, type Shard, type SlotTable } from './slot-table.ts';
import type { AskNode, Topology } from './topology.ts';

/** A node that does not answer at once is probably the one that is in trouble: ask the next one too. */
const PATIENCE_MS = 300;

/**
 * The slots of a Redis Cluster and who serves them, by CLUSTER SLOTS (and NODES, for replicas) of whichever known node
 * answers first.
 *
 * What was last seen stands until something newer is seen: when nobody answers, calls still go to the last owner.
 * States: unknown -> known; closed. A slot that a node says has moved is known by that word until the next refresh.
 */
export class ClusterTopology implements Topology {
  problem: AsynqError | undefined;
  readonly #seeds: readonly string[];
  readonly #ask: AskNode;
  readonly #isUp: (addr: string) => boolean;
  readonly #onRefreshed: () => void;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #refresher: Refresher;
  #table: SlotTable | undefined;
  readonly #moved = new Map<number, string>();
  #masterAddrs: readonly string[] = [];

  constructor(parts: {
    seeds: readonly string[];
    ask: AskNode;
    /** Whether a node is connected and well: such are asked first. */
    isUp: (addr: string) => boolean;
    /** After each refresh that brought an answer. */
    onRefreshed: () => void;
    clock: Clock;
    random: Random;
    log: Logger;
  }) {
    this.#seeds = parts.seeds;
    this.#ask = parts.ask;
    this.#isUp = parts.isUp;
    this.#onRefreshed = parts.onRefreshed;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#refresher = new Refresher(() => this.#look(), parts);
  }

  get isKnown(): boolean {
    return this.#table !== undefined;
  }

  ownerOf(slot: number): string | undefined {
    const byWord = this.#moved.size === 0 ? undefined : this.#moved.get(slot);
    return byWord ?? this.#table?.shardOf(slot)?.master.addr;
  }

  masterAddrs(): readonly string[] {
    return this.#masterAddrs;
  }

  async masters(): Promise<readonly ClusterNode[]> {
    const table = await this.#known();
    return table.shards.map(({ master }) => master);
  }

  async locate(slot: number): Promise<KeyLocation> {
    const table = this.#moved.has(slot)
      ? await this.#refreshed()
      : (this.#table ?? (await this.#refreshed()));
    const shard = this.#shardOf(table, slot);
    if (shard === undefined) throw this.unserved(slot);
    return { slot, master: shard.master, replicas: shard.replicas };
  }

  refresh(): Promise<void> {
    return this.#refresher.refresh();
  }

  connected(): void {}

  moved(slot: number, addr: string): boolean {
    this.#moved.set(slot, addr);
    void this.refresh();
    return true;
  }

  unserved(slot: number, cause?: AsynqError): AsynqError {
    if (this.problem !== undefined) return this.problem;
    const owner = this.ownerOf(slot) ?? 'nobody';
    const why = cause === undefined ? '' : `: ${cause.message}`;
    return new AsynqError(
      'ASYNQ_REDIS_SLOT_UNSERVED',
      `no reachable Redis master serves key slot ${slot} (last owner: ${owner})${why}`,
      { cause },
    );
  }

  close(): void {
    this.#refresher.close();
  }

  /** The shard by a node's word, when there is one, else by the table. */
  #shardOf(table: SlotTable, slot: number): Shard | undefined {
    const addr = this.#moved.get(slot);
    if (addr === undefined) return table.shardOf(slot);
    const shard = table.shards.find(({ master }) => master.addr === addr);
    return shard ?? { master: table.nodeAt(addr) ?? { id: '', addr }, replicas: [] };
  }

  async #known(): Promise<SlotTable> {
    return this.#table ?? this.#refreshed();
  }

  async #refreshed(): Promise<SlotTable> {
    await this.refresh();
    if (this.#table !== undefined) return this.#table;
    throw this.problem ?? new AsynqError('ASYNQ_CLOSED');
  }

  async #look(): Promise<boolean> {
    const words = new Map(this.#moved);
    try {
      const table = await firstAnswer(this.#candidates(), (addr) => this.#slotsAsSeenBy(addr), {
        clock: this.#clock,
        patienceMs: PATIENCE_MS,
      });
      if (!this.#refresher.isClosed) this.#accept(table, words);
      return true;
    } catch (error) {
      this.#fail(nobodyAnswered(error, 'no node of the cluster answers'));
      return false;
    }
  }

  /** Nodes to ask: who took over a slot knows best, then those that are well, then whoever was ever named. */
  #candidates(): string[] {
    const shards = this.#table?.shards ?? [];
    const named = shards.flatMap(({ master, replicas }) => [master, ...replicas]).map(({ addr }) => addr);
    const all = [...this.#moved.values(), ...this.#masterAddrs, ...named, ...this.#seeds];
    return [...new Set([...all.filter(this.#isUp), ...all])];
  }

  async #slotsAsSeenBy(addr: string): Promise<SlotTable> {
    const [slots, nodes] = await Promise.all([
      this.#ask(addr, 'CLUSTER', ['SLOTS']),
      // Only locations need it: a user who may not ask for it can do without.
      this.#ask(addr, 'CLUSTER', ['NODES']).catch(() => ''),
    ]);
    return withReplicas(parseClusterSlots(slots, addr), parseReplicas(String(nodes), addr));
  }

  #accept(table: SlotTable, words: ReadonlyMap<number, string>): void {
    this.problem = undefined;
    this.#table = table;
    const addrs = table.shards.map(({ master }) => master.addr);
    if (addrs.join() !== this.#masterAddrs.join()) this.#log.info({ masters: addrs }, 'cluster topology');
    this.#masterAddrs = addrs;
    for (const [slot, addr] of words) if (this.#moved.get(slot) === addr) this.#moved.delete(slot);
    this.#onRefreshed();
  }

  #fail(problem: AsynqError): void {
    if (this.#refresher.isClosed) return;
    if (this.problem === undefined) this.#log.warn({ err: problem }, 'no node of the cluster answers');
    this.problem = problem;
  }
}
