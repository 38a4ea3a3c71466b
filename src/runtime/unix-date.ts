/** Each knows the letters of the zones of its own part of the world only. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'ja-JP'] as const;

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * A time as Go prints it in `time.UnixDate`: `Tue Nov  4 16:29:11 UTC 2026`. A zone whose letters nobody here knows is
 * told by its offset (`+08`, `-0330`), as Go does with zones that have none.
 *
 * `timeZone` is an IANA name; absent, the process's own (TZ).
 */
export function formatUnixDate(time: Date, timeZone?: string): string {
  const format = formatOf('en-US', timeZone);
  const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
  const { weekday, month, day = '', hour, minute, second, year } = part;
  const zone = zoneLetters(time, timeZone);
  return `${weekday} ${month} ${day.padStart(2)} ${hour}:${minute}:${second} ${zone} ${year}`;
}

function zoneLetters(time: Date, timeZone: string | undefined): string {
  let letters = '';
  for (const locale of LOCALES) {
    letters = zonePart(formatOf(locale, timeZone), time);
    if (!letters.startsWith('GMT')) return letters;
  }
  const [, sign = '+', hours = '0', minutes = ''] = /^GMT(?:([+-])(\d+)(?::(\d+))?)?$/.exec(letters) ?? [];
  return `${sign}${hours.padStart(2, '0')}${minutes}`;
}

function zonePart(format: Intl.DateTimeFormat, time: Date): string {
  return format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
}

function formatOf(locale: string, timeZone: string | undefined): Intl.DateTimeFormat {
  const key = `${locale} ${timeZone}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat(locale, {
    ...(timeZone !== undefined && { timeZone }),
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    year: 'numeric',
    timeZoneName: 'short',
  });
  formats.set(key, format);
  return format;
}
