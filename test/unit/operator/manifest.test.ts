import { describe, expect, it } from 'vitest';
import { AsynqQueueSchema } from '../../../src/operator/asynq-queue-schema.ts';
import { problemText, readManifest } from '../../../src/operator/manifest.ts';

const schema = AsynqQueueSchema.load();

const read = (text: string, before?: Parameters<typeof readManifest>[3]) =>
  readManifest('queues.yaml', text, schema, before);

const problemsOf = (text: string, before?: Parameters<typeof readManifest>[3]) =>
  read(text, before).problems.map(problemText);

const pausable = (queue: string, paused: string) => `apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata: { name: a }
spec: { queue: ${queue}, paused: ${paused}, workerRef: { name: w } }`;

const QUEUE = `apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata: { name: imagenes, namespace: media }
spec:
  queue: imágenes
  worker: { image: 'workers:1' }
`;

describe('readManifest', () => {
  it('reads documents, lists and what goes with them', () => {
    const { manifest, problems } = read(`# two queues
${QUEUE}
---
apiVersion: v1
kind: List
items:
  - apiVersion: asynq.dev/v1alpha1
    kind: AsynqQueue
    metadata: { name: webhooks }
    spec: { worker: { handlers: { configMapRef: { name: code } } } }
  - apiVersion: v1
    kind: ConfigMap
    metadata: { name: code }
    data: { index.mjs: "export default {}" }
---
apiVersion: v1
kind: Secret
metadata: { name: redis, namespace: media }
data: { password: c2VjcmV0, other: YQ== }
stringData: { other: b }
---
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
`);
    expect(problems).toEqual([]);
    expect(manifest.queues).toMatchObject([
      { metadata: { namespace: 'media', name: 'imagenes' }, spec: { queue: 'imágenes' }, line: 2 },
      { metadata: { namespace: 'default', name: 'webhooks' }, line: 13 },
    ]);
    expect(manifest.queues[1]?.spec.scaling).toMatchObject({ mode: 'Auto', maxReplicas: 10 });
    expect(manifest.configMaps).toEqual([
      { metadata: { namespace: 'default', name: 'code' }, data: { 'index.mjs': 'export default {}' } },
    ]);
    expect(manifest.secrets).toEqual([
      { metadata: { namespace: 'media', name: 'redis' }, data: { password: 'secret', other: 'b' } },
    ]);
    expect(manifest.others).toEqual([{ kind: 'Deployment', name: 'web', line: 29 }]);
  });

  it('reads JSON', () => {
    const text = JSON.stringify({
      apiVersion: 'asynq.dev/v1alpha1',
      kind: 'AsynqQueue',
      metadata: { name: 'a' },
      spec: { workerRef: { name: 'w' } },
    });
    expect(read(text)).toMatchObject({ problems: [], manifest: { queues: [{ line: 1 }] } });
  });

  it('reads scalars as kubectl does: YAML 1.1, without dates', () => {
    expect(read(pausable('2026-11-24', 'yes')).manifest.queues[0]?.spec).toMatchObject({
      queue: '2026-11-24',
      paused: true,
    });
    expect(problemsOf(pausable('off', 'no'))).toEqual([
      'queues.yaml:4:9: spec.queue: expected string, got false',
    ]);
  });

  it('follows anchors and merge keys', () => {
    const { manifest, problems } = read(`apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata: { name: a, annotations: &notes { x: why } }
spec:
  worker:
    image: 'workers:1'
    deployment: { annotations: { <<: *notes, z: '1' }, labels: *notes }
`);
    expect(problems).toEqual([]);
    expect(manifest.queues[0]?.spec.worker?.deployment).toEqual({
      annotations: { x: 'why', z: '1' },
      labels: { x: 'why' },
    });
  });

  it.each([
    ['an alias of nothing', 'spec: *foo', /^queues\.yaml:9:7: \*foo: there is no &foo before it$/],
    [
      'an alias that stands in itself',
      'spec: &s { a: [*s] }',
      /^queues\.yaml:9:16: \*s stands inside of what/,
    ],
    ['a merge of itself', 'spec: &s { <<: *s }', /^queues\.yaml:9:16: \*s stands inside of what/],
    ['a merge of no map', 'spec: { <<: 5 }', /^queues\.yaml:8:1: .*[Mm]erge/],
    ['a list item of nothing', 'kind: List\nitems: [*foo]', /^queues\.yaml:10:9: \*foo: there is no &foo/],
    ['a list of nothing', 'kind: List\nitems: *foo', /^queues\.yaml:10:8: \*foo: there is no &foo/],
  ])('places %s, and reads what else the file holds', (_, text, problem) => {
    const broken = read(`${QUEUE}---\na: 1\n${text}`);
    expect(broken.problems.map(problemText)).toEqual([expect.stringMatching(problem)]);
    expect(broken.manifest.queues).toMatchObject([{ metadata: { name: 'imagenes' } }]);
  });

  it('says file, line, column and field of each fault', () => {
    expect(
      problemsOf(`${QUEUE}  scaling:
    minReplicas: 5
    maxReplicas: 3
---
apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata:
  name: b
spec:
  redis:
    addrs:
      - redis:6379
      - redis
  worker:
    image: 'workers:1'
    concurency: 3
`),
    ).toEqual([
      'queues.yaml:8:5: spec.scaling.minReplicas: minReplicas must not be greater than maxReplicas',
      expect.stringMatching(
        /^queues\.yaml:19:9: spec\.redis\.addrs\[1\]: expected a match of .*, got "redis"$/,
      ),
      expect.stringMatching(
        /^queues\.yaml:22:5: spec\.worker\.concurency: unknown field; known here: image, /,
      ),
    ]);
  });

  it.each(['[redis://:s3cret@h:6379]', 'redis://:s3cret@h:6379', '[{ addr: s3cret@h:1 }]'])(
    'shows no password of the addresses %s',
    (addrs) => {
      const [problem] = problemsOf(`${QUEUE}  redis: { addrs: ${addrs} }\n`);
      expect(problem).toMatch(/spec\.redis\.addrs.*, got something with an @$/);
    },
  );

  it('asks no name of what is not for an API server', () => {
    expect(problemsOf('apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n')).toEqual([]);
  });

  it('places a missing field where the object around it stands', () => {
    expect(
      problemsOf(`apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata: { name: b }
spec:
  redis:
    mode: Cluster
  worker: { image: 'workers:1' }
`),
    ).toEqual(['queues.yaml:5:3: spec.redis.addrs: required, but missing']);
  });

  it.each([
    ['a: b: c', /^queues\.yaml:1:\d+: Nested mappings are not allowed/],
    ['spec: {}\nspec: {}', /^queues\.yaml:2:1: Map keys must be unique/],
    ['just text', 'queues.yaml:1:1: expected a Kubernetes object, got "just text"'],
    ['kind: AsynqQueue', 'queues.yaml:1:1: apiVersion: required, but missing'],
    ['apiVersion: v1', 'queues.yaml:1:1: kind: required, but missing'],
    ['apiVersion: v1\nkind: Secret', 'queues.yaml:1:1: metadata.name: required, but missing'],
    [
      'apiVersion: v1\nkind: Secret\nmetadata: { name: y }',
      'queues.yaml:3:13: metadata.name: expected string, got true',
    ],
    [
      'apiVersion: asynq.dev/v1\nkind: AsynqQueue\nmetadata: { name: a }',
      'queues.yaml:1:1: apiVersion: expected asynq.dev/v1alpha1, got asynq.dev/v1',
    ],
    [
      'apiVersion: asynq.dev/v1alpha1\nkind: AsynqQeue\nmetadata: { name: a }',
      'queues.yaml:2:1: kind: expected AsynqQueue, the one kind of asynq.dev, got AsynqQeue',
    ],
    [
      'apiVersion: asynk.dev/v1alpha1\nkind: AsynqQueue\nmetadata: { name: a }',
      'queues.yaml:1:1: apiVersion: expected asynq.dev/v1alpha1, got asynk.dev/v1alpha1',
    ],
    ['a: [1\nb: }\nc: "', /^queues\.yaml:2:1: /],
    [
      'apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData: { password: 123 }',
      'queues.yaml:4:15: stringData.password: expected string, got something else',
    ],
    [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: [x]',
      'queues.yaml:4:1: data: expected an object of strings',
    ],
    [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata:\n  ../../escape: x',
      'queues.yaml:5:3: data.../../escape: expected a key of letters, digits, -, _ and .',
    ],
    [
      'apiVersion: v1\nkind: Secret\nmetadata: { name: a }\ndata: { password: plain text }',
      'queues.yaml:4:9: data.password: expected base64, got something else',
    ],
    ['[1,', /^queues\.yaml:1:\d+: Flow sequence/],
  ])('refuses %j', (text, message) => {
    const [problem, ...others] = problemsOf(text);
    expect(problem).toMatch(message);
    expect(others).toEqual([]);
  });

  it('refuses the same AsynqQueue twice, and keeps the first', () => {
    const { manifest } = read(`${QUEUE}---\n${QUEUE}`);
    expect(manifest.queues).toHaveLength(1);
    expect(problemsOf(`${QUEUE}---\n${QUEUE}`)).toEqual([
      'queues.yaml:10:13: metadata.name: AsynqQueue media/imagenes stands already in line 1',
    ]);
  });

  it('knows what may not change', () => {
    const [queue] = read(QUEUE).manifest.queues;
    expect(problemsOf(QUEUE, () => queue?.spec)).toEqual([]);
    expect(problemsOf(QUEUE.replace('imágenes', 'images'), () => queue?.spec)).toEqual([
      'queues.yaml:5:3: spec.queue: queue cannot be changed, set or removed later; make another AsynqQueue',
    ]);
  });

  it('says nothing of a file without objects', () => {
    for (const text of ['', '# nothing\n', '---\n---\n']) {
      expect(read(text)).toEqual({
        problems: [],
        manifest: { file: 'queues.yaml', queues: [], secrets: [], configMaps: [], others: [] },
      });
    }
  });
});
