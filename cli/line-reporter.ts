import type { CheckpointEvent, JobStatus } from '../lib/job/handle.ts';
import type { Logger } from '../lib/observe/logger.ts';
import { checkpointLine, type ProgressLine, ProgressLines } from './progress-lines.ts';
import type { Clock, Reporter } from './reporter.ts';

/**
 * One log line for each change of phase and each checkpoint, and one every few seconds in between. `hasFields`: for machines;
 * for people the sentence says it all.
 */
export class LineReporter implements Reporter {
  readonly logger: Logger;
  readonly #hasFields: boolean;
  readonly #clock: Clock;
  readonly #progress = new ProgressLines();

  constructor(logger: Logger, clock: Clock, hasFields: boolean) {
    this.logger = logger;
    this.#hasFields = hasFields;
    this.#clock = clock;
  }

  status(status: JobStatus): void {
    this.#write(this.#progress.status(status, this.#clock.monotonic()));
  }

  checkpoint(event: CheckpointEvent): void {
    this.#write(checkpointLine(event));
  }

  notice(text: string): void {
    this.logger.info({}, text);
  }

  end(lines: readonly string[], isError: boolean, fields: object): void {
    this.logger[isError ? 'error' : 'info'](this.#hasFields ? fields : {}, lines.join('\n'));
  }

  #write(line: ProgressLine | undefined): void {
    if (line) this.logger[line.level](this.#hasFields ? line.fields : {}, line.text);
  }
}
