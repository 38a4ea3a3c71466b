import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** Seconds of Go's zero time, which stands for none. */
const GO_ZERO_TIME = -62_135_596_800n;

/** Unix milliseconds as a protobuf Timestamp. */
export function timestamp(ms: number | undefined): { seconds: bigint; nanos: number } {
  if (ms === undefined) return { seconds: GO_ZERO_TIME, nanos: 0 };
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.floor((ms - seconds * 1000) * 1e6) };
}

/** A protobuf Timestamp as Unix milliseconds, what is finer cut. */
export function milliseconds(time: Timestamp | undefined): number | undefined {
  if (time === undefined || time.seconds === GO_ZERO_TIME) return undefined;
  return Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6);
}
