import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';

describe('until', () => {
  it('gives the first truthy value, and takes what is thrown for "not yet"', async () => {
    let looks = 0;
    const value = await until(() => {
      looks++;
      if (looks === 1) throw new Error('not there');
      return looks === 3 ? 'there' : '';
    });
    expect(value).toBe('there');
  });

  it('fails with what it waited for and what it saw last', async () => {
    const wait = until(() => Promise.reject(new Error('ECONNREFUSED')), { timeout: 30, what: 'the port' });
    await expect(wait).rejects.toThrow('waited 30 ms in vain for the port; last error: ECONNREFUSED');
  });

  it('gives up a look that hangs', async () => {
    const wait = until(() => new Promise<boolean>(() => {}), { timeout: 30 });
    await expect(wait).rejects.toThrow(/never returned/);
  });

  it('ends with its signal', async () => {
    const wait = until(() => false, { signal: AbortSignal.timeout(20), timeout: 10_000 });
    await expect(wait).rejects.toThrow(/abort/i);
  });
});
