import type { TaskInfo } from '../tasks/task-info.ts';
import { bytesData } from './bytes-text.ts';

/** A task for programs: the fields of TaskInfo; bytes are text where they are UTF-8, and base64 beside. */
export function taskData(info: TaskInfo): object {
  const payload = bytesData(info.payload.bytes);
  const result = bytesData(info.result);
  return {
    ...info,
    payload: payload.text,
    payloadBase64: payload.base64,
    result: result.text,
    resultBase64: result.base64,
  };
}
