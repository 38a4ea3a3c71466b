import { BlockingLine, type BlockingLineParts } from './blocking-line.ts';
import type { RedisReply } from './router.ts';

/**
 * The connections of a router for commands that block. A line is lent to one call at a time and kept for the next one of
 * its key: there are as many as ever blocked on the key at once.
 */
export class BlockingLines {
  readonly #partsFor: (key: string) => BlockingLineParts;
  readonly #all = new Set<BlockingLine>();
  /** By key. */
  readonly #idle = new Map<string, BlockingLine[]>();

  constructor(partsFor: (key: string) => BlockingLineParts) {
    this.#partsFor = partsFor;
  }

  /** As a line's `call`. */
  async call(key: string, ...call: Parameters<BlockingLine['call']>): Promise<RedisReply> {
    const idle = this.#idleOf(key);
    const line = idle.pop() ?? this.#open(key);
    try {
      return await line.call(...call);
    } finally {
      idle.push(line);
    }
  }

  /** Harmless when done before. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((line) => line.close()));
  }

  #idleOf(key: string): BlockingLine[] {
    let idle = this.#idle.get(key);
    if (idle === undefined) {
      idle = [];
      this.#idle.set(key, idle);
    }
    return idle;
  }

  #open(key: string): BlockingLine {
    const line = new BlockingLine(this.#partsFor(key));
    this.#all.add(line);
    return line;
  }
}
