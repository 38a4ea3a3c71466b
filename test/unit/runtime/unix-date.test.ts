import { expect, it } from 'vitest';
import { formatUnixDate } from '../../../src/runtime/unix-date.ts';

// What `TZ=<zone> date -d @<time> '+%a %b %e %H:%M:%S %Z %Y'` prints, which is Go's layout.
it.each([
  [0, 'UTC', 'Thu Jan  1 00:00:00 UTC 1970'],
  [1_795_543_751, 'UTC', 'Tue Nov 24 18:09:11 UTC 2026'],
  [1_795_543_751, 'Europe/Madrid', 'Tue Nov 24 19:09:11 CET 2026'],
  [1_782_324_551, 'Europe/Madrid', 'Wed Jun 24 20:09:11 CEST 2026'],
  [1_795_543_751, 'America/New_York', 'Tue Nov 24 13:09:11 EST 2026'],
  [1_795_543_751, 'Asia/Tokyo', 'Wed Nov 25 03:09:11 JST 2026'],
  [1_795_543_751, 'America/Sao_Paulo', 'Tue Nov 24 15:09:11 -03 2026'],
  [1_795_543_751, 'Asia/Kathmandu', 'Tue Nov 24 23:54:11 +0545 2026'],
])('%d s in %s', (seconds, zone, text) => {
  expect(formatUnixDate(new Date(seconds * 1000), zone)).toBe(text);
});

it("is in the process's zone unless one is named", () => {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const time = new Date(1_795_543_751_000);
  expect(formatUnixDate(time)).toBe(formatUnixDate(time, timeZone));
});
