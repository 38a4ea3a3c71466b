import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { findOnPath } from './find-on-path.ts';
import { run } from './run.ts';
import { shortHash } from './short-hash.ts';

const INSTALL_DEADLINE_MS = 10 * 60_000;

/**
 * Sees to it that Debian packages are installed, and installs what is missing. Where it cannot (another system, not
 * root), the failure says `why` they are needed and what to type.
 */
export async function installDebianPackages(
  names: readonly string[],
  why: string,
  say: (line: string) => void,
): Promise<void> {
  const missing = await missingPackages(names);
  if (missing.length === 0) return;
  const command = `apt-get install --yes --no-install-recommends ${missing.join(' ')}`;
  if (findOnPath('apt-get') === undefined || findOnPath('dpkg-query') === undefined)
    throw new Error(
      `${why}, which works on Debian 12 only. Here, start Docker so that \`docker info\` answers.`,
    );
  if (process.getuid?.() !== 0) throw new Error(`${why}, which takes root. As root, run:\n  ${command}`);
  say(`Installing Debian packages: ${missing.join(' ')}`);
  const apt = { timeout: INSTALL_DEADLINE_MS, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  await run('apt-get', ['update'], apt);
  try {
    await run('apt-get', command.split(' ').slice(1), apt);
  } catch (error) {
    throw new Error(`${why}, and this did not work:\n  ${command}\n${String(error)}`, { cause: error });
  }
}

async function missingPackages(names: readonly string[]): Promise<string[]> {
  if (findOnPath('dpkg-query') === undefined) return [...names];
  const query = ['--show', '--showformat', '${Package} ${db:Status-Status}\n', ...names];
  // It fails when it does not know one of them, but lists the others all the same.
  const listed = await run('sh', ['-c', 'dpkg-query "$@" 2>/dev/null || true', 'sh', ...query]);
  const installed = new Set(listed.split('\n').filter((line) => line.endsWith(' installed')));
  return names.filter((name) => !installed.has(`${name} installed`));
}

/** What no container here ever reads. */
const LEFT_OUT = ['doc', 'man', 'info', 'locale'].map(
  (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
);

/**
 * A root file system as a tar file, from the cache if it has been made before. `minbase`: Debian 12 (the last whose
 * systemd runs on cgroup v1) with `packages`; `extract`: nothing but their files and those of what they depend on.
 */
export async function debianRoot(
  variant: 'minbase' | 'extract',
  packages: readonly string[],
  say: (line: string) => void,
): Promise<string> {
  const inputs = shortHash([variant, packages]);
  const folder = await cachedFolder(`debian-12-${process.arch}-${inputs}`, async (out) => {
    await installDebianPackages(['mmdebstrap'], 'Images are made from Debian packages', say);
    say(`Making a root file system of Debian packages (once): ${packages.join(' ')}`);
    const args = ['--quiet', `--variant=${variant}`, `--include=${packages.join(',')}`, ...LEFT_OUT];
    await run('mmdebstrap', [...args, 'bookworm', join(out, 'root.tar')], { timeout: INSTALL_DEADLINE_MS });
  });
  return join(folder, 'root.tar');
}
