import { readFile } from 'node:fs/promises';
import { difference, expected, type FlightDelays, outputs } from './flight-delays.ts';

/**
 * Somebody who reads the visible files all the time: at each look a file must be a beginning of what it has in the end. So
 * no line is ever there twice, none is torn in a way that another run mends, and what was seen stays.
 */
export class PrefixReader {
  looks = 0;
  readonly problems: string[] = [];
  private readonly job: FlightDelays;
  private isStopped = false;
  private reading: Promise<void> = Promise.resolve();

  constructor(job: FlightDelays) {
    this.job = job;
  }

  start(): this {
    this.reading = this.read();
    return this;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.reading;
  }

  /** One look at all files. */
  async look(): Promise<void> {
    for (const output of outputs) {
      const found = await readFile(this.job.pathOf(output)).catch(() => Buffer.alloc(0));
      const problem = difference(found, expected[output].subarray(0, found.length));
      if (problem !== undefined) this.problems.push(`look ${this.looks}: ${output}: ${problem}`);
    }
    this.looks++;
  }

  private async read(): Promise<void> {
    while (!this.isStopped && this.problems.length === 0) {
      await this.look();
      // The reader's own pace; nothing waits for it.
      await new Promise(resolve => setTimeout(resolve, 15));
    }
  }
}
