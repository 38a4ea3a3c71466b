import type { RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import { QUEUES_KEY, QueueKeys } from '../wire/keys.ts';
import { LEASE_SECONDS, MAX_ARCHIVE_SIZE } from '../wire/limits.ts';
import { decodeTaskMessage, encodeTaskMessage, type TaskMessage } from '../wire/task-message.ts';
import { isUnreadableTask, unreadableTask } from '../wire/unreadable-task.ts';
import type { FindingCode, FindingsBook } from './doctor-findings.ts';
import { GroupDoctor } from './group-doctor.ts';
import { removedPrefix } from './queue-removal.ts';
import { bytes, integer, integers, list, optionalBytes, optionalText, rows, texts } from './replies.ts';
import { loadScript } from './scripts.ts';

const PLACE = loadScript('doctor-place');
const TASKS = loadScript('doctor-tasks');
const ARCHIVE = loadScript('doctor-archive');
const ORPHAN = loadScript('doctor-orphan');
const LOCKS = loadScript('doctor-locks');

/** What one script call looks at holds up its Redis for about a millisecond. */
const IDS_A_LOOK = 500;
const TASKS_A_LOOK = 200;
const LOCKS_A_LOOK = 200;
const BYTES_A_LOOK = 4 << 20;

/** Each is a script of its own, which may have to go through all of pending. */
const SUSPECTS_AT_ONCE = 20;

/** Keys, without their queue's prefix, that hold tasks; counters and a pause are left by queues that were removed. */
const HOLDERS: ReadonlySet<string> = new Set([
  'pending',
  'active',
  'scheduled',
  'retry',
  'archived',
  'completed',
]);

/** A hash that no list led to at the first look: its id, and its message. */
interface Suspect {
  readonly id: string;
  readonly msg: Buffer | undefined;
}

export interface QueueDoctorParts {
  readonly queue: string;
  readonly router: Pick<RedisRouter, 'run' | 'command'>;
  readonly clock: Clock;
  readonly book: FindingsBook;
  readonly mend: boolean;
  /** Ends the last look at tasks that nothing led to. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Examines one queue: first its lists, then, as the survey of all keys comes upon them, its tasks and locks, in the end its
 * groups and whatever task was led to by nothing. What is mended is looked at and mended by one script, so that no task on
 * its way between two lists is taken for lost; and whatever has a message keeps it. Each step can be repeated.
 */
export class QueueDoctor {
  readonly queue: string;
  readonly #parts: QueueDoctorParts;
  readonly #keys: QueueKeys;
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #clock: Clock;
  readonly #book: FindingsBook;
  readonly #mend: boolean;
  /** Ids in pending and active. */
  readonly #listed = new Set<string>();
  readonly #suspects = new Map<string, Suspect>();
  #isUsed = false;
  /** Keys of groups and of aggregation sets. */
  readonly #groupKeys = new Set<string>();

  constructor(parts: QueueDoctorParts) {
    this.#parts = parts;
    this.queue = parts.queue;
    this.#keys = new QueueKeys(parts.queue);
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#book = parts.book;
    this.#mend = parts.mend;
  }

  /** Comes before all else: a task that is listed later on is new, and looked at twice. */
  async examineLists(): Promise<void> {
    const { pending, active, lease, scheduled, retry, archived, completed } = this.#keys;
    for (const place of [pending, active, lease, scheduled, retry, archived, completed]) {
      await this.#examinePlace(place);
    }
  }

  /** Keys of the queue, without its prefix. */
  async examine(rests: readonly string[]): Promise<void> {
    const ids = rests.filter((rest) => rest.startsWith('t:')).map((rest) => rest.slice(2));
    const locks = rests.filter((rest) => rest.startsWith('unique:'));
    const groups = rests.filter((rest) => rest.startsWith('g:'));
    for (const rest of groups) this.#groupKeys.add(this.#keys.prefix + rest);
    this.#isUsed ||= ids.length > 0 || groups.length > 0 || rests.some((rest) => HOLDERS.has(rest));
    await this.#examineTasks(ids);
    await this.#examineLocks(locks.map((rest) => this.#keys.prefix + rest));
  }

  /**
   * When all keys have been seen: acquits what came into a list since, all at once, so that few tasks must be sought in all
   * of pending one by one. Resolves with the number of those.
   */
  async acquitListed(): Promise<number> {
    if (this.#suspects.size === 0) return 0;
    for (const place of [this.#keys.pending, this.#keys.active]) await this.#examinePlace(place);
    for (const id of this.#suspects.keys()) if (this.#listed.has(id)) this.#suspects.delete(id);
    return this.#suspects.size;
  }

  /** `removals`: keys that hold the tasks of removed queues, found after all others; what they lead to is not lost. */
  async finish(removals: readonly string[] = []): Promise<void> {
    for (const key of this.#groupKeys) await this.#examinePlace(key);
    const groups = new GroupDoctor({ ...this.#parts, keys: this.#keys });
    const unlistedSets = await groups.examine([...this.#groupKeys]);
    const removed = removedPrefix(this.#keys);
    if (removals.some((key) => key.startsWith(removed))) {
      this.#book.add('queue-being-removed', this.queue, [this.queue], []);
    } else {
      await this.#lookAgainAtSuspects(unlistedSets);
    }
    if (this.#isUsed) await this.#examineListing();
  }

  /** Whoever enqueues the first task of a queue lists it before; one that was removed meanwhile stays so. */
  async #examineListing(): Promise<void> {
    const { queue } = this;
    if ((await this.#router.command(QUEUES_KEY, 'SISMEMBER', [QUEUES_KEY, queue])) === 1) return;
    const { pending, active, scheduled, retry, archived, completed, groups } = this.#keys;
    const suspects = [...this.#suspects.keys()].slice(0, SUSPECTS_AT_ONCE).map((id) => this.#keys.task(id));
    const holders = [pending, active, scheduled, retry, archived, completed, groups];
    const asked = [...holders, ...this.#groupKeys, ...suspects];
    if ((await this.#router.command(pending, 'EXISTS', asked)) === 0) return;
    if (this.#mend) await this.#router.command(QUEUES_KEY, 'SADD', [QUEUES_KEY, queue]);
    this.#found('queue-not-listed', [queue]);
  }

  async #examinePlace(place: string): Promise<void> {
    const { active, lease, taskPrefix } = this.#keys;
    for (let next = '0'; ; ) {
      const now = unixSeconds(this.#clock.now());
      const args = [taskPrefix, next, IDS_A_LOOK, this.#mend ? 1 : 0, now + LEASE_SECONDS, now];
      const [after, kept, gone, alone] = list(
        PLACE,
        await this.#router.run(PLACE, [place, active, lease], args),
      );
      for (const id of texts(PLACE, kept)) this.#listed.add(id);
      this.#found('id-without-task', texts(PLACE, gone));
      this.#found(place === active ? 'active-without-lease' : 'lease-without-active', texts(PLACE, alone));
      next = bytes(PLACE, after).toString();
      if (next === 'end') return;
    }
  }

  async #examineTasks(ids: readonly string[]): Promise<void> {
    const { scheduled, retry, archived, completed, taskPrefix, groupPrefix } = this.#keys;
    for (let from = 0; from < ids.length; ) {
      const some = ids.slice(from, from + TASKS_A_LOOK);
      const keys = [scheduled, retry, archived, completed, ...some.map((id) => this.#keys.task(id))];
      const reply = await this.#router.run(TASKS, keys, [taskPrefix, groupPrefix, BYTES_A_LOOK]);
      const looked = rows(TASKS, reply, 3);
      for (const [n, [state, msg, isPlaced]] of looked.entries()) {
        const id = some[n];
        if (id === undefined || isPlaced === null) continue;
        const message = optionalBytes(TASKS, msg);
        if (isPlaced === 0 && !this.#listed.has(id)) this.#suspects.set(id, { id, msg: message });
        else if (message !== undefined) await this.#read(id, optionalText(TASKS, state ?? null), message);
      }
      from += looked.length;
    }
  }

  async #read(id: string, state: string | undefined, msg: Buffer): Promise<void> {
    const isUnreadable = this.#decode(id, msg) === undefined;
    if (isUnreadable && state !== 'archived') {
      const isFixed = this.#mend && (await this.#archive(id, msg));
      this.#book.add('message-unreadable', this.queue, [id], isFixed ? [id] : []);
    } else if (isUnreadable || isUnreadableTask(decodeTaskMessage(msg))) {
      this.#book.add('unreadable-archived', this.queue, [id], []);
    }
  }

  #decode(id: string, msg: Buffer): TaskMessage | undefined {
    try {
      const message = decodeTaskMessage(msg);
      return message.id === id ? message : undefined;
    } catch (error) {
      if (AsynqError.is(error)) return undefined;
      throw error;
    }
  }

  async #archive(id: string, msg: Buffer): Promise<boolean> {
    const { active, pending, scheduled, retry, completed, archived, groups, groupPrefix } = this.#keys;
    const places = [active, pending, scheduled, retry, completed, archived, groups];
    const now = unixSeconds(this.#clock.now());
    const args = [id, msg, groupPrefix, now, MAX_ARCHIVE_SIZE - 1];
    return integer(ARCHIVE, await this.#router.run(ARCHIVE, [...places, this.#keys.task(id)], args)) === 1;
  }

  async #examineLocks(locks: readonly string[]): Promise<void> {
    for (let from = 0; from < locks.length; from += LOCKS_A_LOOK) {
      const some = locks.slice(from, from + LOCKS_A_LOOK);
      const reply = await this.#router.run(LOCKS, some, [this.#keys.taskPrefix, this.#mend ? 1 : 0]);
      const results = integers(LOCKS, reply, some.length);
      this.#found(
        'lock-without-task',
        some.filter((_, n) => results[n] === 1),
      );
    }
  }

  async #lookAgainAtSuspects(unlistedSets: readonly string[]): Promise<void> {
    const suspects = [...this.#suspects.values()];
    for (let from = 0; from < suspects.length && !this.#parts.signal?.aborted; from += SUSPECTS_AT_ONCE) {
      const some = suspects.slice(from, from + SUSPECTS_AT_ONCE);
      await Promise.all(some.map((suspect) => this.#lookAgain(suspect, unlistedSets)));
    }
  }

  async #lookAgain({ id, msg }: Suspect, unlistedSets: readonly string[]): Promise<void> {
    const { pending, active, lease, scheduled, retry, archived, completed, aggregationSets } = this.#keys;
    const places = [pending, active, scheduled, retry, archived, completed, aggregationSets];
    const now = unixSeconds(this.#clock.now());
    const reply = await this.#router.run(
      ORPHAN,
      [...places, this.#keys.task(id), lease, ...unlistedSets],
      [
        id,
        this.#keys.groupPrefix,
        this.#mend ? 1 : 0,
        now,
        msg ?? '',
        msg ? this.#archivedAs(id, msg, now) : '',
        MAX_ARCHIVE_SIZE - 1,
      ],
    );
    const outcome = integer(ORPHAN, reply);
    if (outcome === 0) return;
    this.#book.add('task-in-no-list', this.queue, [id], this.#mend && outcome === 1 ? [id] : []);
  }

  #archivedAs(id: string, msg: Buffer, now: number): Uint8Array {
    const message = this.#decode(id, msg) ?? unreadableTask(this.queue, id, msg);
    const reason = 'asynq doctor: the task was in no list or set of its queue';
    const errorMsg = message.errorMsg === '' ? reason : `${reason}; before: ${message.errorMsg}`;
    return encodeTaskMessage({ ...message, errorMsg, lastFailedAt: now });
  }

  /** What its script has mended if it was to. */
  #found(code: FindingCode, names: readonly string[]): void {
    this.#book.add(code, this.queue, names, this.#mend ? names : []);
  }
}
