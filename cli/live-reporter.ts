import type { CheckpointEvent, JobStatus } from '../lib/job/handle.ts';
import type { Logger } from '../lib/observe/logger.ts';
import { checkpointLine } from './progress-lines.ts';
import type { Clock, Reporter } from './reporter.ts';
import { statusLines } from './status-view.ts';
import type { Look } from './styled-line.ts';
import { Throughput } from './throughput.ts';

/** Where the live status is drawn. */
export interface Screen {
  show(lines: readonly string[]): void;
  close(): void;
}

const redrawMs = 500;

/** A block of lines in a terminal that follows the status; the last one stays. */
export class LiveReporter implements Reporter {
  readonly logger: Logger;
  readonly #screen: Screen;
  readonly #write: (text: string) => void;
  readonly #look: () => Look;
  readonly #clock: Clock;
  readonly #begun: number;
  readonly #throughput = new Throughput();
  readonly #timer: NodeJS.Timeout;
  #status: JobStatus | undefined;
  #notice: string | undefined;

  /** `write` takes whole lines below the block, once it is closed. */
  constructor(logger: Logger, screen: Screen, write: (text: string) => void, look: () => Look, clock: Clock) {
    this.logger = logger;
    this.#screen = screen;
    this.#write = write;
    this.#look = look;
    this.#clock = clock;
    this.#begun = clock.monotonic();
    // Times go on although nothing happens.
    this.#timer = setInterval(() => this.#draw(), redrawMs);
    this.#timer.unref();
  }

  status(status: JobStatus): void {
    this.#throughput.add(this.#clock.monotonic(), status.records.in);
    this.#status = status;
    this.#draw();
  }

  /** The block shows the last one; a line of its own is for what went wrong. */
  checkpoint(event: CheckpointEvent): void {
    const { level, text, fields } = checkpointLine(event);
    if (level === 'info') this.logger.debug(fields, text);
    else this.logger[level](fields, text);
  }

  notice(text: string): void {
    this.#notice = text;
    this.#draw();
  }

  end(lines: readonly string[], isError: boolean): void {
    clearInterval(this.#timer);
    this.#notice = undefined;
    this.#draw();
    this.#screen.close();
    const { paint } = this.#look();
    const [first = '', ...rest] = lines;
    const shown = [isError ? paint('red', first) : first, ...rest.map(line => paint('dim', line))];
    this.#write(`${shown.join('\n')}\n`);
  }

  #draw(): void {
    if (!this.#status) return;
    const view = {
      status: this.#status,
      elapsedMs: this.#clock.monotonic() - this.#begun,
      perSecond: this.#status.phase === 'running' ? this.#throughput.perSecond : undefined,
      now: this.#clock.now(),
      notice: this.#notice,
    };
    this.#screen.show(statusLines(view, this.#look()));
  }
}
