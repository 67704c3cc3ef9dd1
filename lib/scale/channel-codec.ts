import { decodeValue, encodeValue } from '../checkpoint/value-codec.ts';
import type { Key } from '../stream/elements.ts';

// What is in a channel, as msgpack arrays of different lengths: [key, time, value] is a record, [task, watermark, isIdle, 0] says how far
// a task is, and [task] that it has given its last record.

/** One message of a channel. */
export type ChannelMessage =
  | { readonly is: 'record'; readonly key: Key; readonly timestamp: number; readonly value: unknown }
  | { readonly is: 'watermark'; readonly task: number; readonly watermark: number; readonly isIdle: boolean }
  | { readonly is: 'end'; readonly task: number };

export const packRecord = (key: Key, timestamp: number, value: unknown): Uint8Array =>
  encodeValue([key, timestamp, value]);

export const packWatermark = (task: number, watermark: number, isIdle: boolean): Uint8Array =>
  encodeValue([task, watermark, isIdle, 0]);

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
    default:
      return { is: 'end', task: parts[0] as number };
  }
}
