import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Writes src/wire/gen from src/wire/asynq.proto; needs no network. */
const root = fileURLToPath(new URL('..', import.meta.url));

const template = {
  version: 'v2',
  plugins: [
    {
      local: [process.execPath, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es'],
      out: 'src/wire/gen',
      opt: ['target=ts', 'import_extension=ts'],
    },
  ],
};

execFileSync(
  process.execPath,
  ['node_modules/@bufbuild/buf/bin/buf', 'generate', 'src/wire', '--template', JSON.stringify(template)],
  { cwd: root, stdio: 'inherit' },
);
