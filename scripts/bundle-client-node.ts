import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const SOURCE = 'src/kube/client-node.ts';
const OUT = 'dist/kube/client-node.js';

/** CommonJS packages in it call `require` of Node's own modules. */
const REQUIRE = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`;

/**
 * Puts client-node and what it needs into the one file of ours that imports it, and their licences beside it. undici
 * stays outside: both of us must mean the same one.
 */
export async function bundleClientNode(): Promise<void> {
  const { metafile } = await build({
    entryPoints: [SOURCE],
    outfile: OUT,
    allowOverwrite: true,
    bundle: true,
    external: ['undici'],
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: REQUIRE },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const folders = Object.keys(metafile.inputs).map(
    (file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0],
  );
  const packages = [...new Set(folders)].filter((folder) => folder !== undefined).toSorted();
  writeFileSync(OUT.replace(/\.js$/, '.LICENSES.txt'), packages.map(licence).join('\n'));
}

function licence(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license: string;
  };
  const [file] = globSync(`${folder}/{LICENSE,LICENCE,License,license}*`);
  const text = file === undefined ? '' : `\n${readFileSync(file, 'utf8').trim()}\n`;
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n${text}`;
}
