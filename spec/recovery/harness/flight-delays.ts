import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileStore, type Manifest, type SnapshotStore } from 'tidemark';
import { redisStore } from 'tidemark/connectors/redis';
import { expectedAirports, expectedAlerts, readFlights } from '../../../samples/flight-delays/reference.ts';
import { type Command, type CommandOptions, tidemark } from './command.ts';

export const outputs = ['airports.jsonl', 'alerts.jsonl'] as const;
export type Output = (typeof outputs)[number];

/** What the outputs must hold, byte for byte, from a computation that knows nothing of Tidemark. */
export const expected: Readonly<Record<Output, Buffer>> = (() => {
  const flights = readFlights();
  const bytesOf = (lines: readonly string[]) => Buffer.from(lines.map(line => `${line}\n`).join(''));
  return { 'airports.jsonl': bytesOf(expectedAirports(flights)), 'alerts.jsonl': bytesOf(expectedAlerts(flights)) };
})();

export interface RunOptions extends CommandOptions {
  /** Flights a second; as fast as possible when left out. */
  readonly rate?: number;
  readonly interval?: string;
  /** Further parameters, as `key=value`. */
  readonly set?: readonly string[];
}

/** One place for the sample's output and one store: what its processes have in common. */
export class FlightDelays {
  readonly folder: string;
  /** As `--store` takes it. */
  readonly store: string;

  constructor(folder: string, store = path.join(folder, 'state')) {
    this.folder = folder;
    this.store = store;
  }

  /** Starts a process. */
  run({ rate, interval = '100ms', set = [], ...options }: RunOptions = {}): Command {
    const settings = [`out=${this.out}`, ...(rate === undefined ? [] : [`rate=${rate}`]), ...set];
    return tidemark(
      ['run', 'samples/flight-delays', '--store', this.store, '--interval', interval]
        // What a parameter is called comes before what it is: `--set out=…`.
        .concat(settings.flatMap(setting => ['--set', setting])),
      options,
    );
  }

  get out(): string {
    return path.join(this.folder, 'out');
  }

  pathOf(output: Output): string {
    return path.join(this.out, output);
  }

  /** What is visible now. */
  visible(output: Output): Buffer {
    const file = this.pathOf(output);
    return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  }

  /** The newest committed checkpoint, as the store has it now. */
  async committed(): Promise<Manifest | undefined> {
    const store = this.openStore();
    try {
      const stored = await store.task({ job: 'flight-delays', task: 'main' }).manifests();
      return stored.findLast(({ confirmed }) => confirmed)?.manifest;
    } finally {
      await store.close();
    }
  }

  openStore(): SnapshotStore {
    return this.store.includes('://') ? redisStore(this.store) : fileStore(this.store);
  }
}

/** Where two texts begin to differ, for people; `undefined` when they do not. */
export function difference(found: Buffer, wanted: Buffer): string | undefined {
  if (found.equals(wanted)) return undefined;
  let at = 0;
  while (at < Math.min(found.length, wanted.length) && found[at] === wanted[at]) at++;
  const around = (bytes: Buffer) => JSON.stringify(bytes.subarray(Math.max(0, at - 80), at + 80).toString());
  return `${found.length} bytes instead of ${wanted.length}; from byte ${at}: ${around(found)} instead of ${around(wanted)}`;
}
