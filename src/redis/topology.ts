import type { AsynqError } from '../runtime/errors.ts';
import type { ClusterNode, KeyLocation, RedisReply } from './router.ts';

/** Puts one command to the node at an address, and to no other. */
export type AskNode = (addr: string, name: string, args: (string | Buffer | number)[]) => Promise<RedisReply>;

/** Knows which node serves which slot: a cluster finds out, a standalone server serves all. */
export interface Topology {
  /** Whether anything is known yet. */
  readonly isKnown: boolean;
  /** Why the last refresh failed; undefined when it did not, or none was needed. */
  readonly problem: AsynqError | undefined;
  /** `host:port` of the slot's master; undefined when nobody is known to serve it. */
  ownerOf(slot: number): string | undefined;
  /** `host:port` of all masters. */
  masterAddrs(): readonly string[];
  masters(): Promise<readonly ClusterNode[]>;
  /** @throws ASYNQ_REDIS_SLOT_UNSERVED, or why nothing is known */
  locate(slot: number): Promise<KeyLocation>;
  /** Looks again who serves what; never rejects, see `problem`. Calls while one runs join it. */
  refresh(): Promise<void>;
  /** A connection to a node was made: behind its address may be another than before. */
  connected(): void;
  /** A node said that the slot is served at `addr` now; false: there cannot be such an answer here. */
  moved(slot: number, addr: string): boolean;
  /** What to tell a caller whose slot could not be reached, because of `cause`. */
  unserved(slot: number, cause: AsynqError): AsynqError;
  close(): void;
}
