import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AsynqQueueSchema } from '../../../src/operator/asynq-queue-schema.ts';
import { problemText, readManifest } from '../../../src/operator/manifest.ts';

const SAMPLES = 'deploy/samples';
const schema = AsynqQueueSchema.load();
const kustomization = parse(readFileSync(`${SAMPLES}/kustomization.yaml`, 'utf8')) as {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly [{ readonly name: string; readonly files: readonly string[] }];
};
const [handlers] = kustomization.configMapGenerator;

const samples = globSync(`${SAMPLES}/*.yaml`).filter((file) => !file.endsWith('kustomization.yaml'));

describe.each(samples)('%s', (file) => {
  const { manifest, problems } = readManifest(file, readFileSync(file, 'utf8'), schema);

  it('is an AsynqQueue as the API has it', () => {
    expect(problems.map(problemText)).toEqual([]);
    expect(manifest.queues).toHaveLength(1);
    expect(kustomization.resources).toContain(basename(file));
  });

  it('finds its handlers in the ConfigMap beside it', () => {
    const reference = manifest.queues[0]?.spec.worker?.handlers?.configMapRef;
    expect(reference?.name).toBe(handlers.name);
    expect(handlers.files.map((path) => basename(path))).toContain(reference?.key);
  });
});

it('every handler module of the samples is in the ConfigMap', () => {
  const modules = globSync(`${SAMPLES}/handlers/*`).map((file) => basename(file));
  expect(modules.toSorted()).toEqual(handlers.files.map((path) => basename(join(SAMPLES, path))).toSorted());
});
