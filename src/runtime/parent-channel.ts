/** What of `process` it takes; a stand-in in tests. */
export interface ChannelEnd {
  readonly connected?: boolean;
  send?(message: object): unknown;
  disconnect?(): void;
  once(event: 'disconnect', listener: () => void): unknown;
  off(event: 'disconnect', listener: () => void): unknown;
}

/**
 * The channel to the process that started this one, when that was one of ours. It breaks when that process is no more,
 * however it ended (`kill -9`, too), and then this one has nothing left to do. Without a parent of ours it does nothing.
 */
export class ParentChannel implements Disposable {
  readonly #process: ChannelEnd;
  readonly #onGone: () => void;

  /** `onGone`: the parent is no more. */
  constructor(onGone: () => void, end: ChannelEnd = process) {
    this.#process = end;
    this.#onGone = onGone;
    end.once('disconnect', onGone);
    if (end.send !== undefined && end.connected !== true) onGone();
  }

  send(message: object): void {
    if (this.#process.connected === true) this.#process.send?.(message);
  }

  /** Lets go of it: an open channel keeps a process alive. */
  [Symbol.dispose](): void {
    this.#process.off('disconnect', this.#onGone);
    if (this.#process.connected === true) this.#process.disconnect?.();
  }
}
