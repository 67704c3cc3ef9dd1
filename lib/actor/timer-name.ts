import { StateLostError } from '../errors.ts';
import type { MapKey } from './key.ts';
import type { Timer } from './timer-heap.ts';

// The name of a timer is its time as text, a sign for the type of its key, and the key as text: injective, since no number's
// text holds a sign. Snapshots hold it in the encoding of keys.
const signs = { string: '$', number: '#', bigint: '&', boolean: '?' } as const;

export function timerName({ key, time }: Pick<Timer, 'key' | 'time'>): string {
  return `${time}${signs[typeof key as keyof typeof signs]}${key}`;
}

export function parseName(name: MapKey): { key: MapKey; time: number } {
  const parts = typeof name === 'string' ? /^([^$#&?]+)([$#&?])(.*)$/s.exec(name) : null;
  if (!parts) {
    throw new StateLostError(
      `A snapshot holds a timer in a form that this version of Tidemark does not read (${String(name)}). ` +
        'Run the version that wrote it, or a newer one.',
    );
  }
  const [, time, sign, text] = parts as unknown as [string, string, string, string];
  return { time: Number(time), key: keyFrom(sign, text) };
}

function keyFrom(sign: string, text: string): MapKey {
  if (sign === signs.string) return text;
  if (sign === signs.number) return Number(text);
  return sign === signs.bigint ? BigInt(text) : text === 'true';
}
