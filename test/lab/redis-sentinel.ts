import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Child } from './child.ts';
import { onFreePorts } from './free-ports.ts';
import { redisBinaries } from './redis-binaries.ts';
import { RedisServer } from './redis-server.ts';
import { tempDir } from './temp-dir.ts';

const START_DEADLINE_MS = 30_000;
const MASTER_NAME = 'the set';

export interface SentinelSet extends AsyncDisposable {
  readonly masterName: string;
  readonly sentinelAddrs: readonly string[];
  /** The first is master at the start, the other its replica. */
  readonly servers: readonly [RedisServer, RedisServer];
  /** What a sentinel says, e.g. `await set.ask('SENTINEL', 'FAILOVER', set.masterName)`. */
  ask(command: string, ...args: string[]): Promise<unknown>;
}

/** A master, a replica, and a sentinel that calls the master dead after half a second. */
export async function startSentinelSet(parts: {
  password: string;
  sentinelPassword: string;
}): Promise<SentinelSet> {
  const { password, sentinelPassword } = parts;
  const binaries = await redisBinaries();
  return onFreePorts(3, undefined, async ([one = 0, other = 0, port = 0]) => {
    const dir = await tempDir('sentinel');
    const server = (at: number, config = {}) =>
      new RedisServer({ binaries, port: at, dir: join(dir.path, String(at)), options: { password, config } });
    const master = server(one, { 'repl-diskless-sync-delay': '0' });
    const replica = server(other, { replicaof: `127.0.0.1 ${one}`, 'repl-diskless-sync-delay': '0' });
    const conf = join(dir.path, 'sentinel.conf');
    await writeFile(conf, directives({ port, dir: dir.path, master: one, password, sentinelPassword }));
    let sentinel: Child | undefined;
    const stop = async () => {
      await sentinel?.stop('SIGKILL');
      await Promise.all([master.kill(), replica.kill()]);
      await dir.remove();
    };
    const ask = async (command: string, ...args: string[]) => {
      const client = new Redis(port, '127.0.0.1', {
        password: sentinelPassword,
        protocol: 2,
        enableReadyCheck: false,
        retryStrategy: () => null,
      });
      client.on('error', () => {});
      try {
        return await client.call(command, ...args);
      } finally {
        client.disconnect();
      }
    };
    try {
      await Promise.all([master.start(), replica.start()]);
      sentinel = new Child({
        name: 'sentinel',
        command: binaries.server,
        args: [conf, '--sentinel'],
        dir: dir.path,
      });
      await sentinel.ready(async () => knowsReplica(await ask('SENTINEL', 'REPLICAS', MASTER_NAME)), {
        timeout: START_DEADLINE_MS,
      });
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      masterName: MASTER_NAME,
      sentinelAddrs: [`127.0.0.1:${port}`],
      servers: [master, replica],
      ask,
      [Symbol.asyncDispose]: stop,
    };
  });
}

/** A replica that could be made master. */
function knowsReplica(reply: unknown): boolean {
  return JSON.stringify(reply).includes('"master-link-status","ok"');
}

function directives(fields: {
  port: number;
  dir: string;
  master: number;
  password: string;
  sentinelPassword: string;
}): string {
  const { port, dir, master, password, sentinelPassword } = fields;
  const name = JSON.stringify(MASTER_NAME);
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${JSON.stringify(dir)}`,
    'protected-mode no',
    `requirepass ${JSON.stringify(sentinelPassword)}`,
    `sentinel monitor ${name} 127.0.0.1 ${master} 1`,
    `sentinel auth-pass ${name} ${JSON.stringify(password)}`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 1000`,
    '',
  ].join('\n');
}
