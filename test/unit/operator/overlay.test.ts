import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlaid } from '../../../src/operator/overlay.ts';

const BASE = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'worker',
      image: 'asynq-operator:1',
      args: ['worker'],
      env: [
        { name: 'ASYNQ_REDIS_ADDRS', value: 'redis:6379' },
        { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
      ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    },
  ],
  volumes: [{ name: 'tmp', emptyDir: {} }],
};

function worker(overlay: object): unknown {
  const [merged] = overlaid(BASE, { containers: [{ name: 'worker', ...overlay }] })[
    'containers'
  ] as unknown[];
  return merged;
}

describe('the overlay on a pod template', () => {
  it('changes nothing when it says nothing', () => {
    expect(overlaid(BASE, {})).toEqual(BASE);
    expect(worker({})).toEqual(BASE.containers[0]);
  });

  it('merges objects field by field, and takes away what is null', () => {
    const merged = overlaid(BASE, {
      securityContext: { runAsUser: 1000, seccompProfile: null },
      nodeSelector: { disk: 'ssd' },
    });
    expect(merged).toMatchObject({ nodeSelector: { disk: 'ssd' } });
    expect(merged['securityContext']).toEqual({ runAsNonRoot: true, runAsUser: 1000 });
  });

  it('merges containers by name and keeps their order; new ones follow', () => {
    const { containers } = overlaid(BASE, {
      containers: [
        { name: 'sidecar', image: 'proxy' },
        { name: 'worker', image: 'mine' },
      ],
    });
    expect(containers).toMatchObject([
      { name: 'worker', image: 'mine', args: ['worker'] },
      { name: 'sidecar', image: 'proxy' },
    ]);
  });

  it('merges env by name: a value takes the place of the whole variable', () => {
    expect(
      worker({
        env: [
          { name: 'POD_NAME', value: 'fixed' },
          { name: 'MINE', value: '1' },
        ],
      }),
    ).toMatchObject({
      env: [
        { name: 'ASYNQ_REDIS_ADDRS', value: 'redis:6379' },
        { name: 'POD_NAME', value: 'fixed' },
        { name: 'MINE', value: '1' },
      ],
    });
    expect(worker({ env: [{ name: 'POD_NAME', value: 'fixed' }] })).not.toHaveProperty('env.1.valueFrom');
  });

  it('merges ports by number and protocol, where TCP is what is meant by none', () => {
    expect(
      worker({
        ports: [
          { containerPort: 8080, name: 'metrics' },
          { containerPort: 8080, protocol: 'UDP' },
        ],
      }),
    ).toMatchObject({
      ports: [
        { containerPort: 8080, name: 'metrics' },
        { containerPort: 8080, protocol: 'UDP' },
      ],
    });
  });

  it('merges volumes by name and volumeMounts by mountPath', () => {
    const merged = overlaid(BASE, {
      volumes: [
        { name: 'tmp', emptyDir: { medium: 'Memory' } },
        { name: 'data', emptyDir: {} },
      ],
      containers: [{ name: 'worker', volumeMounts: [{ name: 'data', mountPath: '/tmp' }] }],
    });
    expect(merged['volumes']).toEqual([
      { name: 'tmp', emptyDir: { medium: 'Memory' } },
      { name: 'data', emptyDir: {} },
    ]);
    expect(merged['containers']).toMatchObject([{ volumeMounts: [{ name: 'data', mountPath: '/tmp' }] }]);
  });

  it('replaces every other list', () => {
    expect(worker({ args: ['serve', '--fast'] })).toMatchObject({ args: ['serve', '--fast'] });
    const tolerations = [{ key: 'a', operator: 'Exists' }];
    const once = overlaid({ ...BASE, tolerations: [{ key: 'b' }] }, { tolerations });
    expect(once['tolerations']).toEqual(tolerations);
  });

  it('may be laid on twice as well as once', () => {
    const anyOverlay = fc.record(
      {
        nodeSelector: fc.dictionary(fc.constantFrom('a', 'b'), fc.string()),
        containers: fc.array(
          fc.record({
            name: fc.constantFrom('worker', 'sidecar', 'other'),
            image: fc.string(),
            env: fc.uniqueArray(
              fc.record({ name: fc.constantFrom('A', 'B', 'POD_NAME'), value: fc.string() }),
              {
                selector: ({ name }) => name,
              },
            ),
          }),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anyOverlay, (overlay) => {
        const once = overlaid(BASE, overlay);
        expect(overlaid(once, overlay)).toEqual(once);
      }),
    );
  });
});
