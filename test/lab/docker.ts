import { type ChildProcess, spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cacheRoot } from './cache.ts';
import { installDebianPackages } from './debian.ts';
import { findOnPath } from './find-on-path.ts';
import { type RunOptions, run } from './run.ts';
import { tempDir } from './temp-dir.ts';

/** A docker daemon, and how this machine and its containers reach each other. */
export interface Docker extends AsyncDisposable {
  /** What docker's client and kind need in their environment to find the daemon. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether images can be pulled; if not, stand-ins are made for those that are needed. */
  readonly canPull: boolean;
  /** This machine's address as containers see it; a server of a test listens on it. */
  readonly hostAddress: string;
  /** Address on which containers publish ports, reachable from this machine. */
  readonly publishAddress: string;
  /** Runs the client; gives its stdout. */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  hasImage(name: string): Promise<boolean>;
  /** Stops a daemon of ours, with every container; leaves another's alone. */
  stop(): Promise<void>;
}

const PACKAGES = ['docker.io', 'iproute2', 'iptables', 'jq', 'util-linux'];

/** The daemon that is there, else one of our own, which takes Debian and root. */
export async function startDocker(say: (line: string) => void): Promise<Docker> {
  return (await runningDocker()) ?? (await ownDocker(say));
}

async function runningDocker(): Promise<Docker | undefined> {
  if (findOnPath('docker') === undefined) return undefined;
  try {
    await run('docker', ['info'], { timeout: 10_000 });
  } catch {
    return undefined;
  }
  const inspect = ['network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}'];
  const gateway = (await run('docker', inspect)).trim();
  if (!addressesOfThisMachine().includes(gateway))
    throw new Error(
      `Docker's gateway ${gateway} is no address of this machine: its daemon runs elsewhere, perhaps in a virtual machine.
Pods could not reach a Redis that a test starts here. Run the end-to-end tests on the Linux machine that runs Docker.`,
    );
  return client({
    env: {},
    canPull: true,
    hostAddress: gateway,
    publishAddress: '127.0.0.1',
    stop: async () => {},
  });
}

async function ownDocker(say: (line: string) => void): Promise<Docker> {
  await installDebianPackages(
    PACKAGES,
    'There is no Docker daemon that answers; the tests start their own',
    say,
  );
  const runFolder = await tempDir('docker');
  const net = freeNet();
  const socket = join(runFolder.path, 'docker.sock');
  const script = join(import.meta.dirname, 'kind', 'dockerd.sh');
  const data = join(cacheRoot(), 'docker');
  const daemon = spawn(
    'bash',
    [script, `asynq${process.pid}`, `${net}.1`, `${net}.2`, data, runFolder.path],
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  const ended = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
  const stop = async () => {
    daemon.stdin.end();
    await ended;
    await runFolder.remove();
  };
  try {
    await untilReady(daemon, say);
  } catch (error) {
    await stop();
    throw error;
  }
  return client({
    env: { DOCKER_HOST: `unix://${socket}`, DOCKER_BUILDKIT: '0' },
    canPull: false,
    hostAddress: `${net}.1`,
    publishAddress: `${net}.2`,
    stop,
  });
}

/** Resolves on the line `ready`; passes on what the daemon's script says; fails with it when the script ends. */
function untilReady(
  daemon: ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream },
  say: (line: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: daemon.stdout }).on('line', (line) => line === 'ready' && resolve());
    createInterface({ input: daemon.stderr }).on('line', (line) => {
      said.push(line);
      say(line);
    });
    daemon.once('error', reject);
    daemon.once('close', () => reject(new Error(`No docker daemon could be started:\n${said.join('\n')}`)));
  });
}

function client(parts: Omit<Docker, 'run' | 'hasImage' | typeof Symbol.asyncDispose>): Docker {
  const docker = (args: readonly string[], options: RunOptions = {}) =>
    run('docker', args, { ...options, env: { ...parts.env, ...options.env } });
  return {
    ...parts,
    run: docker,
    hasImage: (name) =>
      docker(['image', 'inspect', name]).then(
        () => true,
        () => false,
      ),
    [Symbol.asyncDispose]: parts.stop,
  };
}

/** The first three bytes of a network that no interface here has an address in. */
function freeNet(): string {
  const taken = addressesOfThisMachine();
  for (let third = 0; third < 256; third++) {
    const net = `10.202.${third}`;
    if (!taken.some((address) => address.startsWith(`${net}.`))) return net;
  }
  throw new Error('every network in 10.202.0.0/16 is in use on this machine');
}

function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address);
}
