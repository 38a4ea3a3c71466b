import { formatGoDuration } from '../runtime/go-duration.ts';
import { formatUnixDate } from '../runtime/unix-date.ts';

/** A span in Go's words, to the second: `47h59m52s`. */
export function spanText(ms: number): string {
  return formatGoDuration(Math.round(ms / 1000) * 1000);
}

/** `in 20s`, or that it is time. */
export function untilText(time: Date | undefined, nowMs: number): string {
  const ms = (time?.getTime() ?? nowMs) - nowMs;
  return ms > 0 ? `in ${spanText(ms)}` : 'right now';
}

/** `4s ago`. */
export function agoText(time: Date, nowMs: number): string {
  return `${spanText(nowMs - time.getTime())} ago`;
}

/** The time of something past; empty when it never was. */
export function pastText(time: Date | undefined): string {
  return time === undefined ? '' : formatUnixDate(time);
}

/** Its date in UTC: `2026-11-24`. */
export function dayText(time: Date): string {
  return time.toISOString().slice(0, 10);
}
