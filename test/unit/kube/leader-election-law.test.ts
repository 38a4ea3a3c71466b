import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeaderElector, type Leadership } from '../../../src/kube/leader-election.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLease, type Weather } from '../../support/fake-lease.ts';
import { FakeProcess } from '../../support/fake-process.ts';

const CANDIDATES = 3;

interface Step {
  readonly weather: Weather;
  readonly transitMs: number;
  readonly seconds: number;
  /** Who is frozen for these seconds; one that is frozen in the next step too stays so. */
  readonly frozen: number | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  weather: fc.constantFrom('fine', 'fine', 'fine', 'error', 'lost request', 'lost answer', 'hang'),
  transitMs: fc.constantFrom(0, 0, 100, 2_300),
  seconds: fc.integer({ min: 1, max: 12 }),
  frozen: fc.constantFrom(undefined, undefined, undefined, 0, 1, 2),
});

/** A world of its own: one clock, one Lease, and processes that stand for election all the time. */
class Election implements AsyncDisposable {
  readonly lease = new FakeLease();
  readonly terms: Leadership[] = [];
  readonly #clock = new FakeClock();
  readonly #over = new AbortController();
  readonly #processes: readonly FakeProcess[];
  #transitMs = 0;
  #standing = 0;

  constructor() {
    this.#processes = Array.from(
      { length: CANDIDATES },
      (_, index) =>
        new FakeProcess({
          clock: this.#clock,
          serve: this.lease.reply,
          transitMs: () => this.#transitMs,
          random: () => (index + 1) / (CANDIDATES + 1),
        }),
    );
    this.#processes.forEach((it, index) => void this.#stand(it, `candidate-${index}`));
  }

  /** How many would write now if their processes went on now. */
  get leaders(): number {
    return this.terms.filter((it) => it.isLeader()).length;
  }

  async take({ weather, transitMs, seconds, frozen }: Step, look: () => void): Promise<void> {
    this.lease.weather = weather;
    this.#transitMs = transitMs;
    this.#processes.forEach((it, index) => (index === frozen ? it.freeze() : it.thaw()));
    for (let half = 0; half < seconds * 2; half++) {
      await this.#clock.advance(500);
      look();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    for (const it of this.#processes) it.thaw();
    // Two requests of five seconds each, at most.
    await this.#clock.advance(15_000);
    if (this.#standing > 0) throw new Error(`${this.#standing} candidates did not end`);
  }

  async #stand({ client }: FakeProcess, identity: string): Promise<void> {
    this.#standing++;
    const elector = new LeaderElector({ client, namespace: 'ns', name: 'l', identity });
    const over = this.#over.signal;
    for (let term = await elector.acquire(over); term !== undefined; term = await elector.acquire(over)) {
      this.terms.push(term);
      await aborted(term.lost, over);
      await term.release();
    }
    this.#standing--;
  }
}

function aborted(...signals: AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}

test('whatever the network does and whoever is frozen, never do two lead, and in fine weather one does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      await using election = new Election();
      const noTwo = () => expect(election.leaders).toBeLessThanOrEqual(1);
      for (const it of steps) await election.take(it, noTwo);
      // A call that hangs, a lease that must run out, and the wait between two attempts.
      await election.take({ weather: 'fine', transitMs: 0, seconds: 30, frozen: undefined }, noTwo);
      expect(election.leaders).toBe(1);
    }),
    { numRuns: 50 },
  );
});

test('one that was frozen does not take the lease for abandoned when the leader renewed meanwhile', async () => {
  await using election = new Election();
  const noTwo = () => expect(election.leaders).toBeLessThanOrEqual(1);
  const fine = { weather: 'fine', transitMs: 0, seconds: 5, frozen: undefined } as const;
  await election.take(fine, noTwo);
  expect(election.lease.spec?.holderIdentity).toBe('candidate-0');
  for (const frozen of [1, 2]) await election.take({ ...fine, seconds: 30, frozen }, noTwo);
  await election.take(fine, noTwo);
  expect(election.leaders).toBe(1);
  expect(election.terms).toHaveLength(1);
});
