import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubectl } from '../../support/kube.ts';

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'asynq-kustomize-')));
});

afterEach(() => rm(folder, { recursive: true }));

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

/** The operator's image and that of workers, as the kustomization in `path` has them. */
async function images(path: string): Promise<object> {
  const text = await kubectl().run(['kustomize', path]);
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const [container] = deployment.spec.template.spec.containers as [Container];
  return {
    operator: container.image,
    worker: container.env.find(({ name }) => name === 'WORKER_IMAGE')?.value,
  };
}

describe('the kustomization', () => {
  it("gives workers the operator's image", async () => {
    const image = expect.stringMatching(/^asynq-operator:\d/);
    const found = await images('deploy');
    expect(found).toEqual({ operator: image, worker: image });
  });

  it('does so in an overlay that changes the image', async () => {
    const deploy = relative(folder, resolve('deploy'));
    const overlay = {
      resources: [deploy],
      images: [{ name: 'asynq-operator', newName: 'registry.example/asynq-operator', newTag: '7' }],
      transformers: [`${deploy}/worker-image`],
    };
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
    const image = 'registry.example/asynq-operator:7';
    expect(await images(folder)).toEqual({ operator: image, worker: image });
  });
});
