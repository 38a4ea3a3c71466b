import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { firstAnswer } from './first-answer.ts';
import { nobodyAnswered } from './nobody-answered.ts';
import { Refresher } from './refresher.ts';
import type { ClusterNode, KeyLocation } from './router.ts';
import { StandaloneTopology } from './standalone-topology.ts';
import type { AskNode, Topology } from './topology.ts';

/** A sentinel that does not answer at once is probably beside the server that died: ask the next one too. */
const PATIENCE_MS = 300;

/**
 * One server that serves every slot, and sentinels that know which it is. They are asked at the start, whenever something
 * is wrong with the server (no connection, silence, it calls itself a replica), and now and then.
 *
 * What was last said stands until something newer is said: while no sentinel answers, calls go to the last master.
 * States: unknown -> known; closed.
 */
export class SentinelTopology implements Topology {
  problem: AsynqError | undefined;
  readonly #masterName: string;
  readonly #sentinels: readonly string[];
  readonly #ask: AskNode;
  readonly #onRefreshed: () => void;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #refresher: Refresher;
  #addr: string | undefined;
  #master: StandaloneTopology | undefined;

  constructor(parts: {
    masterName: string;
    sentinels: readonly string[];
    ask: AskNode;
    /** After each refresh that brought an answer. */
    onRefreshed: () => void;
    clock: Clock;
    random: Random;
    log: Logger;
  }) {
    this.#masterName = parts.masterName;
    this.#sentinels = parts.sentinels;
    this.#ask = parts.ask;
    this.#onRefreshed = parts.onRefreshed;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#refresher = new Refresher(() => this.#look(), parts);
  }

  get isKnown(): boolean {
    return this.#master !== undefined;
  }

  ownerOf(): string | undefined {
    return this.#addr;
  }

  masterAddrs(): readonly string[] {
    return this.#addr === undefined ? [] : [this.#addr];
  }

  async masters(): Promise<readonly ClusterNode[]> {
    return (await this.#known()).masters();
  }

  async locate(slot: number): Promise<KeyLocation> {
    return (await this.#known()).locate(slot);
  }

  refresh(): Promise<void> {
    return this.#refresher.refresh();
  }

  connected(): void {
    this.#master?.connected();
  }

  moved(): boolean {
    return false;
  }

  unserved(_slot: number, cause: AsynqError): AsynqError {
    return this.problem ?? cause;
  }

  close(): void {
    this.#refresher.close();
  }

  async #known(): Promise<StandaloneTopology> {
    if (this.#master === undefined) await this.refresh();
    if (this.#master !== undefined) return this.#master;
    throw this.problem ?? new AsynqError('ASYNQ_CLOSED');
  }

  async #look(): Promise<boolean> {
    try {
      const addr = await firstAnswer(this.#sentinels, (sentinel) => this.#masterAsSeenBy(sentinel), {
        clock: this.#clock,
        patienceMs: PATIENCE_MS,
      });
      if (!this.#refresher.isClosed) this.#accept(addr);
      return true;
    } catch (error) {
      this.#fail(nobodyAnswered(error, 'no sentinel answers'));
      return false;
    }
  }

  async #masterAsSeenBy(sentinel: string): Promise<string> {
    const reply = await this.#ask(sentinel, 'SENTINEL', ['GET-MASTER-ADDR-BY-NAME', this.#masterName]);
    if (Array.isArray(reply) && reply.length === 2) return `${String(reply[0])}:${String(reply[1])}`;
    const name = JSON.stringify(this.#masterName);
    throw new AsynqError(
      'ASYNQ_CONFIG_INVALID',
      `the sentinel at ${sentinel} knows no master called ${name}`,
    );
  }

  #accept(addr: string): void {
    this.problem = undefined;
    if (addr !== this.#addr) {
      this.#log.info({ master: addr }, 'the master that the sentinels name');
      this.#addr = addr;
      this.#master = new StandaloneTopology(addr, this.#ask);
    }
    this.#onRefreshed();
  }

  #fail(problem: AsynqError): void {
    if (this.#refresher.isClosed) return;
    if (this.problem === undefined) this.#log.warn({ err: problem }, 'no sentinel answers');
    this.problem = problem;
  }
}
