// node --import: the package's own name leads to its sources, so that no test depends on a build.
import { registerHooks } from 'node:module';

const source = new URL('../../src/index.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'asynq-operator' ? { url: source, shortCircuit: true } : next(specifier, context),
});
