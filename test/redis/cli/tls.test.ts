import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { onFreePorts } from '../../lab/free-ports.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { fakeTerminal, type Ran } from '../../unit/cli/run.ts';

function tlsFile(name: string): string {
  return fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
}

const [CERT, KEY] = [tlsFile('first.crt'), tlsFile('first.key')];

async function asynq(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const terminal = fakeTerminal({ env });
  return { code: await runAsynq(args, { terminal }), ...terminal.written };
}

it('reaches a server that wants TLS and a certificate, by flags or by the environment', async () => {
  await onFreePorts(1, undefined, async ([port = 0]) => {
    const files = { 'tls-cert-file': CERT, 'tls-key-file': KEY, 'tls-ca-cert-file': CERT };
    await using redis = await startRedis({
      config: { 'tls-port': String(port), 'tls-auth-clients': 'yes', ...files },
    });
    const uri = `rediss://${redis.server.host}:${port}`;
    const ok = { code: 0, out: '', err: '' };
    const own = ['--tls_cert', CERT, '--tls_key', KEY];
    expect(await asynq(['queue', 'ls', '-u', uri, '--tls_ca', CERT, ...own])).toEqual(ok);
    expect(await asynq(['queue', 'ls', '-u', uri, '--insecure', ...own])).toEqual(ok);
    expect(await asynq(['queue', 'ls'], { URI: uri, TLS_CA: CERT, TLS_CERT: CERT, TLS_KEY: KEY })).toEqual(
      ok,
    );

    const stranger = await asynq(['queue', 'ls', '-u', uri, ...own]);
    expect(stranger).toEqual({ code: 1, out: '', err: expect.stringMatching(/^error: .*self-signed/) });
    const misnamed = await asynq([
      'queue',
      'ls',
      '-u',
      uri,
      '--tls_ca',
      CERT,
      '--tls_server',
      'other',
      ...own,
    ]);
    expect(misnamed).toEqual({ code: 1, out: '', err: expect.stringMatching(/^error: .*other/) });
  });
});
