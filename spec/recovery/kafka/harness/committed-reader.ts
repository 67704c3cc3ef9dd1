import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach } from 'vitest';
import { kcat } from './kcat.ts';

/** A record as a reader that is not ours sees it. */
export interface SeenRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

const readers = new Set<CommittedReader>();

/**
 * kcat, which reads a topic with librdkafka from its beginning and shows what is committed, while it becomes so. Keys and
 * values are without line ends and tabs.
 */
export class CommittedReader {
  /** In the order in which they came; in order of offsets within a partition. */
  readonly records: SeenRecord[] = [];
  private readonly child: ChildProcess;
  private readonly seen: (record: SeenRecord) => void;
  private readonly ended: Promise<void>;
  private rest = '';
  private errors = '';

  /** `seen` is called with each record; `toEnd`: it ends where the topic ends now. */
  constructor(brokers: string, topic: string, seen: (record: SeenRecord) => void = () => {}, toEnd = false) {
    this.seen = seen;
    const settings = ['isolation.level=read_committed', 'fetch.wait.max.ms=50', 'reconnect.backoff.max.ms=500'];
    this.child = spawn(
      kcat(),
      ['-C', '-b', brokers, '-t', topic, '-o', 'beginning', '-u', '-q', '-f', '%p\\t%o\\t%k\\t%s\\n']
        .concat(settings.flatMap(setting => ['-X', setting]))
        .concat(toEnd ? ['-e'] : []),
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.child.stdout?.setEncoding('utf8').on('data', text => this.hear(text));
    this.child.stderr?.setEncoding('utf8').on('data', text => {
      this.errors += text;
    });
    this.ended = new Promise(resolve => {
      this.child.once('error', error => {
        this.errors += error.message;
      });
      this.child.once('close', () => resolve());
    });
    readers.add(this);
  }

  /** Everything that is committed in the topic now. */
  static async all(brokers: string, topic: string): Promise<readonly SeenRecord[]> {
    const reader = new CommittedReader(brokers, topic, undefined, true);
    await reader.ended;
    readers.delete(reader);
    if (reader.child.exitCode !== 0) throw new Error(`kcat could not read ${topic}: ${reader.errors}`);
    return reader.records;
  }

  async stop(): Promise<void> {
    readers.delete(this);
    this.child.kill();
    await this.ended;
  }

  private hear(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const [partition, offset, key = '', value = ''] = line.split('\t');
      const record = { partition: Number(partition), offset: Number(offset), key, value };
      this.records.push(record);
      this.seen(record);
    }
  }
}

afterEach(async () => {
  await Promise.all([...readers].map(reader => reader.stop()));
});
