import type { RedisArg, RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { SERVERS_KEY, serverKey, WORKERS_KEY, workersKey } from '../wire/keys.ts';
import { encodeServerInfo, encodeWorkerInfo } from '../wire/server-info.ts';
import type { ServerState } from './broker.ts';
import { loadScript } from './scripts.ts';

const WRITE_SERVER_STATE = loadScript('write-server-state');

type ServerName = Pick<ServerState, 'host' | 'pid' | 'serverId'>;

/**
 * Tells inspectors of a server. What it is lies in a slot of its own, the indexes of all servers and all workers in two
 * others; a reader passes over an index entry that leads nowhere, so their order does not matter.
 */
export class ServerAnnouncer {
  readonly #router: RedisRouter;
  readonly #clock: Clock;

  constructor(parts: { router: RedisRouter; clock: Clock }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
  }

  async write(state: ServerState, ttlSeconds: number): Promise<void> {
    const { server, workers } = keysOf(state);
    const expiry = unixSeconds(this.#clock.now()) + ttlSeconds;
    await Promise.all([
      this.#router.command(SERVERS_KEY, 'ZADD', [SERVERS_KEY, expiry, server]),
      this.#router.command(WORKERS_KEY, 'ZADD', [WORKERS_KEY, expiry, workers]),
      this.#router.run(
        WRITE_SERVER_STATE,
        [server, workers],
        [ttlSeconds, serverInfo(state), ...workerInfos(state)],
      ),
    ]);
  }

  async clear(name: ServerName): Promise<void> {
    const { server, workers } = keysOf(name);
    await Promise.all([
      this.#router.command(SERVERS_KEY, 'ZREM', [SERVERS_KEY, server]),
      this.#router.command(WORKERS_KEY, 'ZREM', [WORKERS_KEY, workers]),
      this.#router.command(server, 'DEL', [server, workers]),
    ]);
  }
}

function keysOf({ host, pid, serverId }: ServerName): { server: string; workers: string } {
  return { server: serverKey(host, pid, serverId), workers: workersKey(host, pid, serverId) };
}

function serverInfo({ workers, ...state }: ServerState): Uint8Array {
  return encodeServerInfo({ ...state, activeWorkerCount: workers.length });
}

function workerInfos({ host, pid, serverId, workers }: ServerState): RedisArg[] {
  return workers.flatMap(({ task: { id, queue, message }, startedAt, deadline }) => [
    id,
    encodeWorkerInfo({
      host,
      pid,
      serverId,
      taskId: id,
      taskType: message.type,
      taskPayload: message.payload,
      queue,
      startedAt,
      deadline,
    }),
  ]);
}
