import type { UnknownField } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { decoding, encoding } from './codec.ts';
import { ProtoWriter } from './proto-writer.ts';

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

// Written by hand, since every task passes here twice and more: the generated codec takes 4 times as long. A test holds
// the two against each other.

const { Varint, LengthDelimited } = WireType;

const writer = new ProtoWriter();

/** Bytes as Go writes them: fields in ascending order, zero values left out. @throws ASYNQ_OPTION_INVALID */
export function encodeTaskMessage(task: TaskMessage): Buffer {
  return encoding('a task message', () => writeTask(writer.begin(), task).finish());
}

function writeTask(to: ProtoWriter, task: TaskMessage): ProtoWriter {
  to.text(1, task.type);
  to.bytes(2, task.payload);
  to.text(3, task.id);
  to.text(4, task.queue);
  to.int32(5, task.retry);
  to.int32(6, task.retried);
  to.text(7, task.errorMsg);
  to.int64(8, task.timeout);
  to.int64(9, task.deadline);
  to.text(10, task.uniqueKey);
  to.int64(11, task.lastFailedAt);
  to.int64(12, task.retention);
  to.int64(13, task.completedAt);
  to.text(14, task.groupKey);
  for (const [key, value] of Object.entries(task.headers)) to.entry(15, key, value);
  for (const { no, wireType, data } of task.unknownFields ?? []) to.raw(no, wireType, data);
  return to;
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

/** Times and spans of real tasks are far below 2^53; what is beyond becomes the nearest number that is exact. */
function readInt64(reader: BinaryReader): number {
  const value = Number(reader.int64());
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}
