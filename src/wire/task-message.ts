import type { UnknownField } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { decoding, encoding } from './codec.ts';

/**
 * A task as it lies in the `msg` field of its hash (asynq `base.TaskMessage`, field names as there).
 * Times are Unix seconds and spans are seconds; 0 stands for none.
 */
export interface TaskMessage {
  type: string;
  payload: Uint8Array;
  headers: Readonly<Record<string, string>>;
  id: string;
  queue: string;
  /** Most retries. */
  retry: number;
  retried: number;
  errorMsg: string;
  timeout: number;
  deadline: number;
  uniqueKey: string;
  lastFailedAt: number;
  retention: number;
  completedAt: number;
  groupKey: string;
  /** Fields that a newer peer wrote: kept, and written again with the message. */
  unknownFields?: readonly UnknownField[];
}

// Written by hand over the library's reader and writer, since every task passes here twice and more: the generated codec
// takes 4 times as long. A test holds the two against each other.

const { Varint, LengthDelimited } = WireType;

/** Bytes as Go writes them: fields in ascending order, zero values left out. @throws ASYNQ_OPTION_INVALID */
export function encodeTaskMessage(task: TaskMessage): Uint8Array {
  return encoding('a task message', () => {
    const writer = idleWriter ?? new BinaryWriter();
    idleWriter = undefined;
    writeTask(writer, task);
    const bytes = writer.finish();
    if (bytes.byteLength <= KEPT_BUFFER_BYTES) idleWriter = writer;
    return bytes;
  });
}

/** A writer and the buffer that it has grown, for the next message; a failed or a huge one does not leave its own. */
let idleWriter: BinaryWriter | undefined;
const KEPT_BUFFER_BYTES = 65_536;

function writeTask(writer: BinaryWriter, task: TaskMessage): void {
  writeString(writer, 1, task.type);
  if (task.payload.byteLength > 0) writer.tag(2, LengthDelimited).bytes(task.payload);
  writeString(writer, 3, task.id);
  writeString(writer, 4, task.queue);
  if (task.retry !== 0) writer.tag(5, Varint).int32(task.retry);
  if (task.retried !== 0) writer.tag(6, Varint).int32(task.retried);
  writeString(writer, 7, task.errorMsg);
  writeInt64(writer, 8, task.timeout);
  writeInt64(writer, 9, task.deadline);
  writeString(writer, 10, task.uniqueKey);
  writeInt64(writer, 11, task.lastFailedAt);
  writeInt64(writer, 12, task.retention);
  writeInt64(writer, 13, task.completedAt);
  writeString(writer, 14, task.groupKey);
  for (const [key, value] of Object.entries(task.headers)) {
    writer.tag(15, LengthDelimited).fork();
    writer.tag(1, LengthDelimited).string(wellFormed(key));
    writer.tag(2, LengthDelimited).string(wellFormed(value));
    writer.join();
  }
  for (const { no, wireType, data } of task.unknownFields ?? []) writer.tag(no, wireType).raw(data);
}

/** The payload is a view into `bytes`. @throws ASYNQ_MESSAGE_UNREADABLE */
export function decodeTaskMessage(bytes: Uint8Array): TaskMessage {
  return decoding('a task message', bytes, () => {
    const task = emptyTaskMessage();
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [no, wireType] = reader.tag();
      if (readField(task, reader, no, wireType)) continue;
      const data = reader.skip(wireType, no);
      task.unknownFields = [...(task.unknownFields ?? []), { no, wireType, data }];
    }
    return task;
  });
}

/** False for a field that this version does not know, or knows by another wire type. */
function readField(task: TaskMessage, reader: BinaryReader, no: number, wireType: WireType): boolean {
  return wireType === LengthDelimited
    ? readText(task, reader, no)
    : wireType === Varint && readNumber(task, reader, no);
}

function readText(task: TaskMessage, reader: BinaryReader, no: number): boolean {
  switch (no) {
    case 1:
      task.type = reader.string(true);
      return true;
    case 2:
      task.payload = reader.bytes();
      return true;
    case 3:
      task.id = reader.string(true);
      return true;
    case 4:
      task.queue = reader.string(true);
      return true;
    case 7:
      task.errorMsg = reader.string(true);
      return true;
    case 10:
      task.uniqueKey = reader.string(true);
      return true;
    case 14:
      task.groupKey = reader.string(true);
      return true;
    case 15:
      task.headers = { ...task.headers, ...readHeader(new BinaryReader(reader.bytes())) };
      return true;
    default:
      return false;
  }
}

function readNumber(task: TaskMessage, reader: BinaryReader, no: number): boolean {
  switch (no) {
    case 5:
      task.retry = reader.int32();
      return true;
    case 6:
      task.retried = reader.int32();
      return true;
    case 8:
      task.timeout = readInt64(reader);
      return true;
    case 9:
      task.deadline = readInt64(reader);
      return true;
    case 11:
      task.lastFailedAt = readInt64(reader);
      return true;
    case 12:
      task.retention = readInt64(reader);
      return true;
    case 13:
      task.completedAt = readInt64(reader);
      return true;
    default:
      return false;
  }
}

function readHeader(reader: BinaryReader): Record<string, string> {
  let key = '';
  let value = '';
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === 1 && wireType === LengthDelimited) key = reader.string(true);
    else if (no === 2 && wireType === LengthDelimited) value = reader.string(true);
    else reader.skip(wireType, no);
  }
  return { [key]: value };
}

/** A message of nothing but zero values. */
export function emptyTaskMessage(): TaskMessage {
  return {
    type: '',
    payload: NO_BYTES,
    headers: NO_HEADERS,
    id: '',
    queue: '',
    retry: 0,
    retried: 0,
    errorMsg: '',
    timeout: 0,
    deadline: 0,
    uniqueKey: '',
    lastFailedAt: 0,
    retention: 0,
    completedAt: 0,
    groupKey: '',
  };
}

const NO_BYTES = new Uint8Array(0);
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

function writeString(writer: BinaryWriter, no: number, text: string): void {
  if (text !== '') writer.tag(no, LengthDelimited).string(wellFormed(text));
}

function writeInt64(writer: BinaryWriter, no: number, value: number): void {
  if (value !== 0) writer.tag(no, Varint).int64(value);
}

/** Times and spans of real tasks are far below 2^53; what is beyond becomes the nearest number that is exact. */
function readInt64(reader: BinaryReader): number {
  const value = Number(reader.int64());
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new TypeError(`expected Unicode text, got half of a surrogate pair in ${JSON.stringify(text)}`);
}
