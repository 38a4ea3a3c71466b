// The house: folders are stacked by what may know what, and imports go down only.
const layer = (name, may) => ({
  name: `${name}-imports-down-only`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: `^src/(${[name, 'runtime', ...may].join('|')})/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'nobody-imports-bin',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/bin/' },
      to: { path: '^src/bin/' },
    },
    {
      name: 'runtime-knows-nobody',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { path: '^src/(?!runtime/)' },
    },
    layer('wire', []),
    layer('redis', ['wire']),
    layer('broker', ['redis', 'wire']),
    layer('tasks', ['broker', 'redis', 'wire']),
    layer('server', ['tasks', 'broker', 'redis', 'wire']),
    layer('kube', []),
    layer('operator', ['kube', 'broker', 'redis', 'wire']),
    layer('cli', ['tasks', 'broker', 'redis', 'wire']),
    {
      name: 'wire-is-pure',
      severity: 'error',
      from: { path: '^src/wire/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: '(^|/)(node:)?(crypto|buffer)$|@bufbuild/protobuf' },
    },
    {
      name: 'client-node-only-in-kube',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/kube/' },
      to: { path: '@kubernetes/client-node|node_modules/undici' },
    },
    {
      name: 'ioredis-only-in-redis',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/redis/' },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'no-tests-in-src',
      severity: 'error',
      from: { path: '^src' },
      to: { path: '^(test|demo|bench|examples|scripts)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
