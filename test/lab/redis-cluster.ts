import { join } from 'node:path';
import { until } from '../support/until.ts';
import {
  followersOf,
  isHealthy,
  isMaster,
  type NodeLine,
  ownersOf,
  owns,
  parseClusterNodes,
} from './cluster-nodes.ts';
import { formCluster } from './form-cluster.ts';
import { onFreePorts } from './free-ports.ts';
import { redisBinaries } from './redis-binaries.ts';
import { type RedisOptions, RedisServer } from './redis-server.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

/** Agreement takes gossip rounds of a second, and the machine may be busy. */
const AGREE_DEADLINE_MS = 30_000;

export interface RedisClusterOptions extends RedisOptions {
  /** @default 3 */
  readonly masters?: number;
  /** Replicas of each master. @default 1 */
  readonly replicas?: number;
  /** One a node, masters first. @default free ones */
  readonly ports?: readonly number[];
  /**
   * Milliseconds without an answer after which nodes call a node failed, and a replica takes over. Small on purpose only
   * where a test waits for it: a busy machine makes false alarms. @default 5000
   */
  readonly nodeTimeout?: number;
}

/** A Redis Cluster of real processes on this machine, and the means to hurt it. */
export class RedisCluster implements AsyncDisposable {
  /** All nodes, the first masters first; who is master now, `masters()` knows. */
  readonly nodes: readonly RedisServer[];
  readonly #dir: TempDir;

  constructor(nodes: readonly RedisServer[], dir: TempDir) {
    this.nodes = nodes;
    this.#dir = dir;
  }

  /** `host:port` of each node, as a client gets them. */
  get addrs(): string[] {
    return this.nodes.map((node) => node.addr);
  }

  get password(): string | undefined {
    return this.nodes[0]?.password;
  }

  /** What redis-cli prints when asked at the first node that runs. */
  cli(args: readonly string[]): Promise<string> {
    return this.#first().cli(args);
  }

  /** The key slot that Redis itself computes. */
  async keyslot(key: string): Promise<number> {
    return Number(await this.#first().call('CLUSTER', 'KEYSLOT', key));
  }

  /** CLUSTER NODES as `node` sees it. */
  async clusterNodes(node: RedisServer = this.#first()): Promise<NodeLine[]> {
    return parseClusterNodes(String(await node.call('CLUSTER', 'NODES')));
  }

  async masters(): Promise<RedisServer[]> {
    const lines = await this.clusterNodes();
    return lines.filter((line) => isMaster(line) && line.slots.length > 0).map((line) => this.#node(line));
  }

  async masterOfSlot(slot: number): Promise<RedisServer> {
    const line = (await this.clusterNodes()).find((candidate) => owns(candidate, slot));
    if (line === undefined) throw new Error(`no node owns slot ${slot}`);
    return this.#node(line);
  }

  async masterOfKey(key: string): Promise<RedisServer> {
    return this.masterOfSlot(await this.keyslot(key));
  }

  async replicasOf(master: RedisServer): Promise<RedisServer[]> {
    const lines = await this.clusterNodes(master.isRunning ? master : undefined);
    const id = lines.find((line) => line.addr === master.addr)?.id;
    return lines.filter((line) => line.masterId === id).map((line) => this.#node(line));
  }

  async idOf(node: RedisServer): Promise<string> {
    return String(await node.call('CLUSTER', 'MYID'));
  }

  /**
   * Lets a replica of `master` take its place, in agreement (CLUSTER FAILOVER) or without asking it (`FORCE`: the
   * master may be down; `TAKEOVER`: nobody is asked). Resolves with the new master when all running nodes know it (`whole`: and have got used to it).
   */
  async failover(master: RedisServer, how?: 'FORCE' | 'TAKEOVER'): Promise<RedisServer> {
    const heir = (await this.replicasOf(master)).find((replica) => replica.isRunning);
    if (heir === undefined) throw new Error(`${master.addr} has no running replica`);
    await heir.call('CLUSTER', 'FAILOVER', ...(how === undefined ? [] : [how]));
    await until(async () => (await heir.info('role')) === 'master', {
      timeout: AGREE_DEADLINE_MS,
      what: `${heir.addr} to become master`,
    });
    await this.agreed();
    return heir;
  }

  /** Resolves when all running nodes see the same owners of all slots, and their cluster is ok. */
  async agreed(): Promise<void> {
    await until(() => this.#agree(ownersOf), { timeout: AGREE_DEADLINE_MS, what: 'the nodes to agree' });
  }

  /** As `agreed`; and every node runs, is seen by all as healthy, and replicas follow the same masters, linked. */
  async whole(): Promise<void> {
    await until(
      async () => {
        const links = await Promise.all(this.nodes.map((node) => node.info('master_link_status')));
        return !links.includes('down') && (await this.#agree(wholeLayout));
      },
      { timeout: AGREE_DEADLINE_MS, what: 'the cluster to be whole' },
    );
  }

  async #agree(view: (lines: readonly NodeLine[]) => string): Promise<boolean> {
    const running = this.nodes.filter((node) => node.isRunning);
    const views = await Promise.all(running.map(async (node) => view(await this.clusterNodes(node))));
    const states = await Promise.all(running.map((node) => node.call('CLUSTER', 'INFO')));
    return new Set(views).size === 1 && states.every((state) => String(state).includes('cluster_state:ok'));
  }

  /** Ends all nodes and removes their folder; harmless when done before. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.#dir.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #first(): RedisServer {
    const node = this.nodes.find((candidate) => candidate.isRunning);
    if (node === undefined) throw new Error('no node of the cluster runs');
    return node;
  }

  #node(line: NodeLine): RedisServer {
    const node = this.nodes.find((candidate) => candidate.addr === line.addr);
    if (node === undefined) throw new Error(`${line.addr} is no node of this cluster`);
    return node;
  }
}

function wholeLayout(lines: readonly NodeLine[]): string {
  const sick = lines.find((line) => !isHealthy(line));
  if (sick !== undefined) throw new Error(`${sick.addr} is ${[...sick.flags].join(',')}`);
  return `${ownersOf(lines)}\n${followersOf(lines)}`;
}

/** Starts a Redis Cluster that is whole when this resolves: 3 masters with a replica each, unless told otherwise. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 1, host = '127.0.0.1' } = options;
  const count = masters * (1 + replicas);
  if (options.ports !== undefined && options.ports.length !== count) {
    throw new Error(`expected ${count} ports, one a node, got ${options.ports.length}`);
  }
  const binaries = await redisBinaries();
  return onFreePorts(2 * count, host, async (free) => {
    const dir = await tempDir('cluster');
    const nodes = Array.from({ length: count }, (_, index) => {
      const port = options.ports?.[index] ?? free[index] ?? 0;
      const config = clusterConfig(options, { host, busPort: free[count + index] ?? 0 });
      const parts = { binaries, port, dir: join(dir.path, String(port)) };
      return new RedisServer({ ...parts, options: { ...options, host, config } });
    });
    const cluster = new RedisCluster(nodes, dir);
    try {
      await startAll(nodes);
      await formCluster(nodes, masters);
      await cluster.whole();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  });
}

/** Starts them together; when one fails, it fails once no other is about to start any more. */
async function startAll(nodes: readonly RedisServer[]): Promise<void> {
  const starts = await Promise.allSettled(nodes.map((node) => node.start()));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function clusterConfig(
  options: RedisClusterOptions,
  node: { host: string; busPort: number },
): Record<string, string> {
  return {
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': String(options.nodeTimeout ?? 5_000),
    'cluster-port': String(node.busPort),
    'cluster-announce-ip': node.host,
    'repl-diskless-sync-delay': '0',
    ...options.config,
  };
}
