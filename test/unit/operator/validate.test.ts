import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateManifests } from '../../../src/operator/validate.ts';

const QUEUE = `apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata: { name: a }
spec: { worker: { image: 'workers:1' } }
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asynq-validate-'));
  await writeFile(
    join(folder, 'a.yaml'),
    `${QUEUE}---\n{ apiVersion: apps/v1, kind: Deployment, metadata: { name: w } }`,
  );
});

afterAll(() => rm(folder, { recursive: true }));

const noStdin = () => Promise.reject(new Error('nobody asked for it'));

describe('validateManifests', () => {
  it('names what it looked at and what it did not', async () => {
    const file = join(folder, 'a.yaml');
    expect(await validateManifests([folder], noStdin)).toEqual({
      notes: [`${file}:1: AsynqQueue default/a is valid`, `${file}:6: Deployment w is not looked at`],
      faults: [],
    });
  });

  it('looks past the kustomization of a folder, which need not say what it is', async () => {
    const base = join(folder, 'base');
    await mkdir(base);
    await writeFile(join(base, 'kustomization.yaml'), 'resources: [a.yaml]\n');
    await writeFile(join(base, 'a.yaml'), QUEUE);
    expect(await validateManifests([base], noStdin)).toEqual({
      notes: [`${join(base, 'a.yaml')}:1: AsynqQueue default/a is valid`],
      faults: [],
    });
  });

  it('reads standard input as one more file', async () => {
    const { notes, faults } = await validateManifests(['-', folder], async () =>
      QUEUE.replace("image: 'workers:1'", ''),
    );
    expect(notes).toHaveLength(2);
    expect(faults).toEqual([
      expect.stringMatching(/^-:4:\d+: spec\.worker: the default image needs handlers/),
    ]);
  });

  it('finds fault with a path that is not there, and with nothing at all', async () => {
    expect((await validateManifests(['nowhere'], noStdin)).faults).toEqual([
      'nowhere: no such file or folder',
    ]);
    expect((await validateManifests(['-'], async () => '')).faults).toEqual([
      'there is no AsynqQueue in the manifests',
    ]);
  });
});
