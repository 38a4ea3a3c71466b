import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../src/runtime/errors.ts';
import { cachedFolder } from './cache.ts';
import { findOnPath } from './find-on-path.ts';
import { run } from './run.ts';

export interface RedisBinaries {
  readonly server: string;
  readonly cli: string;
  /** As the server says it, e.g. `7.0.15`. */
  readonly version: string;
}

const OLDEST = 7;
let found: Promise<RedisBinaries> | undefined;

/** Redis or Valkey >= 7: what is on PATH, else Debian's package unpacked into the cache. Nothing is installed. */
export function redisBinaries(say: (line: string) => void = () => {}): Promise<RedisBinaries> {
  found ??= (async () => (await onPath()) ?? (await inFolder(await unpackedFromDebian(say))))();
  return found;
}

async function onPath(): Promise<RedisBinaries | undefined> {
  for (const product of ['redis', 'valkey']) {
    const server = findOnPath(`${product}-server`);
    const cli = findOnPath(`${product}-cli`);
    if (server === undefined || cli === undefined) continue;
    const version = await versionOf(server);
    if (Number.parseInt(version, 10) >= OLDEST) return { server, cli, version };
  }
  return undefined;
}

async function inFolder(folder: string): Promise<RedisBinaries> {
  const server = join(folder, 'redis-server');
  return { server, cli: join(folder, 'redis-cli'), version: await versionOf(server) };
}

async function versionOf(server: string): Promise<string> {
  return /v=(\S+)/.exec(await run(server, ['--version']))?.[1] ?? '0';
}

/**
 * Debian and its kin ship the server's binary in redis-tools: `redis-server` is a link to redis-check-rdb, and the
 * package redis-server only adds a service on port 6379, which nobody asked for. apt resolves what redis-tools needs
 * and this system lacks, into a folder of ours, as any user.
 */
async function unpackedFromDebian(say: (line: string) => void): Promise<string> {
  const system = await osRelease();
  if (findOnPath('apt-get') === undefined) throw new Error(howToInstall(`no redis-server on PATH`));
  return cachedFolder(`redis-${system}-${process.arch}`, async (folder) => {
    say('Unpacking redis-tools from the distribution (once; nothing is installed)');
    const debs = await download(join(folder, 'debs'));
    for (const deb of debs) await run('dpkg', ['-x', deb, folder]);
    await rm(join(folder, 'debs'), { recursive: true });
    const libraries = await foldersOfLibraries(join(folder, 'usr', 'lib'));
    await symlink('redis-check-rdb', join(folder, 'usr', 'bin', 'redis-server'));
    for (const name of ['redis-server', 'redis-cli']) {
      const script = `#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=${libraries.map((path) => `$here/${path.slice(folder.length + 1)}`).join(':')}
export LD_LIBRARY_PATH
exec "$here/usr/bin/${name}" "$@"
`;
      await writeFile(join(folder, name), script);
      await chmod(join(folder, name), 0o755);
    }
  });
}

/** The packages' files; tried first with the package lists that are there, then with fresh ones of our own. */
async function download(archives: string): Promise<string[]> {
  await mkdir(join(archives, 'partial'), { recursive: true });
  const lists = join(archives, 'lists');
  const apt = (own: readonly string[], ...args: string[]) => {
    const options = [
      'Debug::NoLocking=1',
      'APT::Sandbox::User=root',
      `Dir::Cache::archives=${archives}`,
      ...own,
    ];
    return run('apt-get', [...options.flatMap((option) => ['-o', option]), ...args], { timeout: 300_000 });
  };
  const install = [
    'install',
    '--yes',
    '--download-only',
    '--reinstall',
    '--no-install-recommends',
    'redis-tools',
  ];
  const withFreshLists = async () => {
    await mkdir(join(lists, 'partial'), { recursive: true });
    await apt([`Dir::State::lists=${lists}`], 'update');
    await apt([`Dir::State::lists=${lists}`], ...install);
  };
  await apt([], ...install)
    .catch(withFreshLists)
    .catch((error: unknown) => {
      throw new Error(howToInstall(errorText(error)), { cause: error });
    });
  return (await readdir(archives))
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name));
}

async function foldersOfLibraries(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const libraries = entries.filter((entry) => entry.name.includes('.so.'));
  return [...new Set(libraries.map((entry) => entry.parentPath))];
}

async function osRelease(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]+)`, 'm').exec(text)?.[1] ?? 'unknown';
  return `${field('ID')}-${field('VERSION_ID')}`;
}

function howToInstall(why: string): string {
  return `Redis >= ${OLDEST} is needed and cannot be got here (${why}).
Install it so that redis-server and redis-cli are on PATH:
  Debian, Ubuntu   nothing to install, but apt needs the network once; or, as root, apt-get install redis-server
  macOS            brew install redis`;
}
