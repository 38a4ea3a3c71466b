import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';
import { goPeerBinary, type PeerRedis, peerFlags } from './go-peer.ts';
import { testCluster } from './redis.ts';

/** What an operation of Go's broker wants besides its name; times are Unix milliseconds, bytes are base64. */
export interface GoCall {
  readonly queue: string;
  /** The time at which it is done. */
  readonly now: number;
  readonly msg?: string;
  /** What the call is about, for who looks at it afterwards; the peer does not want it. */
  readonly msgs?: readonly string[];
  /** The message's payload is empty and not nil. */
  readonly empty?: boolean;
  readonly id?: string;
  readonly ids?: readonly string[];
  readonly group?: string;
  readonly set?: string;
  readonly at?: number;
  /** A lock's life, or a group's grace period. */
  readonly seconds?: number;
  readonly maxDelay?: number;
  readonly size?: number;
  /** From 0. */
  readonly page?: number;
  readonly error?: string;
  readonly isFailure?: boolean;
  readonly data?: string;
  readonly force?: boolean;
}

/** An error of Go's broker: its class, its code and its text. */
export class GoError extends Error {
  override readonly name = 'GoError';
  readonly kind: string;
  readonly code: string;

  constructor({ kind, code, text }: { kind: string; code: string; text: string }) {
    super(text);
    this.kind = kind;
    this.code = code;
  }
}

interface Answer {
  readonly seq: number;
  readonly value?: unknown;
  readonly error?: { readonly kind: string; readonly code: string; readonly text: string };
}

/** Go's broker in a process that lives as long as we do: each call is one of its methods, at a time that we say. */
export class GoBroker {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #seq = 0;

  constructor(process: ChildProcessByStdio<Writable, Readable, null>) {
    this.#process = process;
    createInterface({ input: process.stdout }).on('line', (line) => this.#settle(JSON.parse(line) as Answer));
    process.stdin.on('error', () => {});
    process.once('close', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`go-peer rdb ended with ${code}`));
      this.#waiting.clear();
    });
  }

  static async on(redis: PeerRedis): Promise<GoBroker> {
    const args = [...peerFlags(redis), 'rdb'];
    // Days begin in UTC for us, and by the machine's clock for Go's count of days.
    const env = { ...process.env, TZ: 'UTC' };
    return new GoBroker(spawn(await goPeerBinary(), args, { stdio: ['pipe', 'pipe', 'inherit'], env }));
  }

  /** @throws GoError */
  call(op: string, call: GoCall): Promise<unknown> {
    const seq = ++this.#seq;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(seq, waiting);
    this.#process.stdin.write(`${JSON.stringify({ seq, op, ...call })}\n`);
    return waiting.promise;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    if (this.#process.exitCode !== null) return;
    this.#process.stdin.end();
    await ended;
  }

  #settle({ seq, value, error }: Answer): void {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new GoError(error));
  }
}

/** Go's broker on the tier's cluster; call it at the top of a file, which ends it. */
export async function goBroker(): Promise<GoBroker> {
  const go = await GoBroker.on({ ...testCluster(), cluster: true });
  afterAll(() => go.stop());
  return go;
}
