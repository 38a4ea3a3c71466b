import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import type { Docker } from './docker.ts';
import { forwardProxy } from './forward-proxy.ts';
import { buildImage, debianImage } from './image.ts';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUILD_DEADLINE_MS = 15 * 60_000;
const REGISTRY = 'registry.npmjs.org';

/** What the Dockerfile is built on. */
const NODE_SLIM = 'node:24-slim';
const DISTROLESS = 'gcr.io/distroless/nodejs24-debian12:nonroot';

/** Gives a daemon that cannot pull stand-ins for what the Dockerfile is built on, under the same names. */
export async function prepareImages(docker: Docker, say: (line: string) => void): Promise<void> {
  if (!docker.canPull) await standIns(docker, say);
}

/** Builds the repository's Dockerfile as it stands. */
export async function buildOperatorImage(
  docker: Docker,
  tag: string,
  say: (line: string) => void,
): Promise<void> {
  const build = (args: readonly string[]) =>
    docker.run(['build', '--quiet', '--tag', tag, ...args, ROOT], { timeout: BUILD_DEADLINE_MS });
  say(`Building ${tag} from the Dockerfile`);
  await prepareImages(docker, say);
  if (docker.canPull) return void (await build([]));
  await using proxy = await forwardProxy(docker.hostAddress, REGISTRY);
  await build(['--build-arg', `HTTPS_PROXY=${proxy.url}`]);
}

/** Writes an archive that `kind load image-archive` reads. */
export async function saveImage(docker: Docker, tag: string, archive: string): Promise<void> {
  await docker.run(['save', '--output', archive, tag], { timeout: 120_000 });
}

async function standIns(docker: Docker, say: (line: string) => void): Promise<void> {
  if (process.versions.node.split('.')[0] !== '24')
    throw new Error(`The image gets the Node that runs this, which must be 24; it is ${process.version}`);
  const debian = await debianImage(docker, 'minbase', ['ca-certificates', 'libstdc++6'], say);
  const bare = await debianImage(
    docker,
    'extract',
    ['base-files', 'ca-certificates', 'libstdc++6', 'netbase', 'tzdata'],
    say,
  );
  await buildImage(docker, {
    tag: NODE_SLIM,
    dockerfile: await recipe('node-slim'),
    args: { DEBIAN: debian },
    files: {
      node: process.execPath,
      npm: join(await npmPackage(), 'package'),
      'ca-certificates.crt': '/etc/ssl/certs/ca-certificates.crt',
    },
  });
  await buildImage(docker, {
    tag: DISTROLESS,
    dockerfile: await recipe('distroless'),
    args: { DEBIAN: debian, BARE_DEBIAN: bare },
    files: { node: process.execPath },
  });
}

function recipe(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, 'images', `${name}.Dockerfile`), 'utf8');
}

/** Folder with npm in the version that package.json names. */
async function npmPackage(): Promise<string> {
  const { packageManager } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    readonly packageManager: string;
  };
  return cachedFolder(packageManager.replace('@', '-'), async (folder) => {
    await run('npm', ['pack', packageManager, '--silent', '--pack-destination', folder], {
      timeout: 300_000,
    });
    const archive = join(folder, `${packageManager.replace('@', '-')}.tgz`);
    await run('tar', ['--extract', '--gzip', '--file', archive, '--directory', folder]);
  });
}
