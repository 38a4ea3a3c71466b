import type { RedisRouter } from '../../../src/redis/router.ts';
import { type GoBroker, goBroker } from '../../support/go-broker.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { type Difference, MENDED } from './differences.ts';
import { GoSide } from './go-side.ts';
import { MENDED_INSPECTIONS } from './inspector-differences.ts';
import type { Operation, Sequence } from './operations.ts';
import { OurSide } from './our-side.ts';
import { drain, type State } from './queue-state.ts';

const EVERY_DIFFERENCE = [MENDED, MENDED_INSPECTIONS].flatMap((some) => Object.values(some));

export interface Outcome {
  /** What each operation gave. */
  readonly answers: readonly unknown[];
  readonly state: State;
}

export interface BothOptions {
  /** Those after which Go's queue is mended. @default all that are known */
  readonly differences?: readonly Difference[];
  /** Called after each operation; what it throws ends the sequence. */
  readonly check?: (operation: Operation, theirs: unknown, ours: unknown) => void;
}

/** Both brokers on the tier's cluster; make it at the top of a file, which closes it. */
export class Both {
  readonly #go: GoBroker;
  readonly #router: RedisRouter;

  constructor(go: GoBroker, router: RedisRouter) {
    this.#go = go;
    this.#router = router;
  }

  static async open(): Promise<Both> {
    return new Both(await goBroker(), testRouter());
  }

  /** Lets both do the same, each on a queue of its own that is gone afterwards. */
  async run(
    { queue, operations }: Sequence,
    options: BothOptions = {},
  ): Promise<{ go: Outcome; ours: Outcome }> {
    const { differences = EVERY_DIFFERENCE, check } = options;
    const parts = { go: this.#go, router: this.#router, differences };
    // Some way into a second, as times mostly are.
    let now = Math.floor(Date.now() / 1000) * 1000 + 250;
    const theirs = new GoSide({ ...parts, queue: uniqueQueue(queue) });
    const ours = new OurSide({ ...parts, queue: uniqueQueue(queue), now });
    const answers: [unknown, unknown][] = [];
    try {
      for (const operation of operations) {
        if (operation.do === 'wait') now += operation.ms;
        const pair = await Promise.all([theirs.take(operation, now), ours.take(operation, now)]);
        check?.(operation, ...pair);
        answers.push(pair);
      }
    } catch (error) {
      await Promise.all([theirs, ours].map(({ queue: name }) => drain(this.#router, name)));
      throw error;
    } finally {
      await theirs.close();
    }
    const states = await Promise.all([theirs, ours].map(({ queue: name }) => drain(this.#router, name)));
    const outcome = (side: 0 | 1) => ({
      answers: answers.map((pair) => pair[side]),
      state: states[side] ?? {},
    });
    return { go: outcome(0), ours: outcome(1) };
  }
}
