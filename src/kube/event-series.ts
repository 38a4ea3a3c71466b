import { createHash } from 'node:crypto';
import type { Clock } from '../runtime/clock.ts';
import { microTime } from './micro-time.ts';
import type { KubeObject } from './object.ts';
import { TokenBucket } from './token-bucket.ts';

/** The same event again within this is the same series: client-go's six minutes. */
const SERIES_MS = 6 * 60_000;
/** Different events about one object: 25 at once, then one in five minutes, as client-go's spam filter has it. */
const SPAM = { burst: 25, perSecond: 1 / 300 };
/** Series, and objects whose rate is remembered; beyond that something is badly wrong, and events are the least of it. */
const MOST = 1_000;
/** Bytes; the API server refuses longer ones. */
const LONGEST_NOTE = 1_024;
const LONGEST_WORD = 128;
const LONGEST_NAME = 253;

/** What happened, in the words of events.k8s.io/v1. */
export interface EventFacts {
  readonly type: 'Normal' | 'Warning';
  /** Why, CamelCase, a word of a documented list: `ScaledUp`. */
  readonly reason: string;
  /** What was done: `Scale`. */
  readonly action: string;
  /** For people. */
  readonly note: string;
  /** Another object that has to do with it. */
  readonly related?: KubeObject;
}

/** Who reports. */
export interface Reporter {
  /** `asynq.dev/operator` */
  readonly controller: string;
  /** Which of many: the pod's name. */
  readonly instance: string;
}

/** One event, which may have happened many times. */
export interface Series {
  readonly key: string;
  readonly namespace: string;
  readonly facts: EventFacts;
  readonly regarding: KubeObject;
  readonly firstAt: number;
  name: string;
  count: number;
  lastAt: number;
  /** The count that the API server knows; 0: it does not know the event. */
  sentCount: number;
}

/** Sorts what happens into series and says no to spam. Knows no API server. */
export class EventBook {
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): Series | undefined {
    return this.#series.get(key);
  }

  list(): readonly Series[] {
    return [...this.#series.values()];
  }

  /** The series that the event begins or goes on with, or why it is dropped. */
  enter(regarding: KubeObject, facts: EventFacts): Series | 'spam' | 'overflow' {
    const now = this.#clock.now();
    const key = JSON.stringify([identityOf(regarding), facts.type, facts.reason, facts.action, facts.note]);
    const known = this.#series.get(key);
    if (known !== undefined && now - known.lastAt < SERIES_MS) {
      known.count += 1;
      known.lastAt = now;
      return known;
    }
    this.#forgetOld(now);
    if (this.#series.size >= MOST) return 'overflow';
    if (!this.#bucketOf(regarding).tryTake()) return 'spam';
    const namespace = regarding.metadata.namespace ?? 'default';
    const series = {
      key,
      namespace,
      facts,
      regarding,
      firstAt: now,
      name: '',
      count: 1,
      lastAt: now,
      sentCount: 0,
    };
    this.#series.set(key, series);
    return series;
  }

  forget(key: string): void {
    this.#series.delete(key);
  }

  #forgetOld(now: number): void {
    for (const [key, { lastAt, count, sentCount }] of this.#series) {
      if (now - lastAt >= SERIES_MS && count === sentCount) this.#series.delete(key);
    }
  }

  #bucketOf(regarding: KubeObject): TokenBucket {
    const key = identityOf(regarding);
    const bucket = this.#buckets.get(key) ?? new TokenBucket({ clock: this.#clock, ...SPAM });
    // Put at the end again: the first is the one that was silent longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [silent] = this.#buckets.keys();
    if (this.#buckets.size > MOST && silent !== undefined) this.#buckets.delete(silent);
    return bucket;
  }
}

/** The fields of a new Event object. */
export function eventBody(series: Series, reporter: Reporter): Record<string, unknown> {
  const { facts, regarding } = series;
  return {
    eventTime: microTime(series.firstAt),
    type: facts.type,
    reason: facts.reason.slice(0, LONGEST_WORD),
    action: facts.action.slice(0, LONGEST_WORD),
    note: cutToBytes(facts.note, LONGEST_NOTE),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, LONGEST_WORD),
    regarding: referenceTo(regarding),
    ...(facts.related === undefined ? {} : { related: referenceTo(facts.related) }),
    ...(series.count === 1 ? {} : { series: seriesBody(series) }),
  };
}

/** What an Event says of its repetitions. */
export function seriesBody({ count, lastAt }: Series): object {
  return { count, lastObservedTime: microTime(lastAt) };
}

/** As kubectl expects it: the object's name, a dot, and what no other event has. */
export function eventName(series: Series, reporter: Reporter): string {
  const hash = createHash('sha256').update(`${reporter.instance} ${series.key}`).digest('hex').slice(0, 8);
  const unique = `${series.firstAt.toString(16)}${hash}`;
  const name = series.regarding.metadata.name.slice(0, LONGEST_NAME - unique.length - 1);
  // A cut name may end in a hyphen or a dot, which no dot may follow.
  return `${name.replace(/[-.]+$/, '')}.${unique}`;
}

function referenceTo(object: KubeObject): object {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid, resourceVersion };
}

function identityOf(object: KubeObject): string {
  const { namespace = '', name, uid = '' } = object.metadata;
  return `${object.kind}/${namespace}/${name}/${uid}`;
}

/** At most `most` bytes of UTF-8, never half a character. */
export function cutToBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  const end = '...';
  let cut = most - end.length;
  // 10xxxxxx goes on with a character that began before.
  while (((bytes[cut] ?? 0) & 0b1100_0000) === 0b1000_0000) cut -= 1;
  return bytes.subarray(0, cut).toString() + end;
}
