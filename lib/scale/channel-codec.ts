import { decodeValue, encodeValue } from '../checkpoint/value-codec.ts';
import type { Key } from '../stream/elements.ts';

// What is in a channel, as msgpack arrays of different lengths: [key, time, value] is a record, [task, watermark, isIdle, 0] says how far
// a task is, [task, rest] that it rests for a savepoint, [task, rest, 0, 0, 0] that it goes on from there, and [task] that it has given its
// last record.

/** One message of a channel. */
export type ChannelMessage =
  | { readonly is: 'record'; readonly key: Key; readonly timestamp: number; readonly value: unknown }
  | { readonly is: 'watermark'; readonly task: number; readonly watermark: number; readonly isIdle: boolean }
  | { readonly is: 'rest'; readonly task: number; readonly rest: string }
  | { readonly is: 'resumed'; readonly task: number; readonly rest: string }
  | { readonly is: 'end'; readonly task: number };

export const packRecord = (key: Key, timestamp: number, value: unknown): Uint8Array =>
  encodeValue([key, timestamp, value]);

export const packWatermark = (task: number, watermark: number, isIdle: boolean): Uint8Array =>
  encodeValue([task, watermark, isIdle, 0]);

/** Nothing of this task follows until it says that it goes on. */
export const packRest = (task: number, rest: string): Uint8Array => encodeValue([task, rest]);

export const packResumed = (task: number, rest: string): Uint8Array => encodeValue([task, rest, 0, 0, 0]);

export const packEnd = (task: number): Uint8Array => encodeValue([task]);

export function unpacked(bytes: Uint8Array): ChannelMessage {
  const parts = decodeValue(bytes) as readonly unknown[];
  switch (parts.length) {
    case 3:
      return { is: 'record', key: parts[0] as Key, timestamp: parts[1] as number, value: parts[2] };
    case 4: {
      const [task, watermark, isIdle] = parts as [number, number, boolean];
      return { is: 'watermark', task, watermark, isIdle };
    }
    case 2:
      return { is: 'rest', task: parts[0] as number, rest: parts[1] as string };
    case 5:
      return { is: 'resumed', task: parts[0] as number, rest: parts[1] as string };
    case 1:
      return { is: 'end', task: parts[0] as number };
    default:
      throw new TypeError(`A message of ${parts.length} parts.`);
  }
}
