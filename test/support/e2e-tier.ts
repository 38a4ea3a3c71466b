import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startDocker } from '../lab/docker.ts';
import { goBuild } from '../lab/go-build.ts';
import { GO_PROGRAMS } from '../lab/go-programs.ts';
import { buildOperatorImage, prepareImages, saveImage } from '../lab/images.ts';
import { prepareKind, startKind } from '../lab/kind.ts';
import { redisBinaries } from '../lab/redis-binaries.ts';
import { startRedisCluster } from '../lab/redis-cluster.ts';
import { tempDir } from '../lab/temp-dir.ts';
import { goPeerBinary } from './go-peer.ts';

/** What all files of the tier share: a cluster whose node holds our image, and a Redis Cluster that its pods reach. */
export interface SharedStage {
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly redis: { readonly addrs: readonly string[]; readonly password: string };
}

declare module 'vitest' {
  export interface ProvidedContext {
    stage: SharedStage;
  }
}

type Say = (line: string) => void;

/** Builds what does not change with our sources: Go programs, kind's node, what the Dockerfile is built on. */
export async function prepare(say: Say): Promise<void> {
  await goBuild(GO_PROGRAMS.helm, say);
  await goPeerBinary(say);
  await redisBinaries(say);
  await using docker = await startDocker(say);
  await prepareKind(docker, say);
  await prepareImages(docker, say);
}

/** vitest's global setup of the tier. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = performance.now();
  const say: Say = (line) => console.log(`[${((performance.now() - started) / 1000).toFixed(0)} s] ${line}`);
  const stage = new AsyncDisposableStack();
  try {
    const docker = stage.use(await startDocker(say));
    const kind = stage.use(await startKind(docker, say));
    say('kind runs');
    const image = `asynq-operator:${await packageVersion()}`;
    await buildOperatorImage(docker, image, say);
    const { path } = stage.use(await tempDir('image'));
    const archive = join(path, 'asynq-operator.tar');
    await saveImage(docker, image, archive);
    await kind.loadImage(archive);
    say(`${image} is on the node`);
    const password = 'only-for-tests';
    const redis = stage.use(await startRedisCluster({ host: docker.hostAddress, password }));
    say('Redis Cluster runs');
    project.provide('stage', {
      kubeconfig: kind.kubeconfig,
      kubectl: kind.kubectlBinary,
      helm: await goBuild(GO_PROGRAMS.helm, say),
      redis: { addrs: redis.addrs, password },
    });
  } catch (error) {
    await stage.disposeAsync();
    throw error;
  }
  return () => stage.disposeAsync();
}

async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { readonly version: string };
  return version;
}
