import { readFile, writeFile } from 'node:fs/promises';

/** Writes a kubeconfig with one cluster and one user, who bears the token. JSON is YAML. */
export async function writeKubeconfig(
  path: string,
  cluster: { readonly url: string; readonly caFile: string },
  token: string,
): Promise<void> {
  const ca = await readFile(cluster.caFile, 'base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server: cluster.url, 'certificate-authority-data': ca } }],
    users: [{ name: 'lab', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
    'current-context': 'lab',
  };
  await writeFile(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
}
