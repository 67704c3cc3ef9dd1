import { StringDecoder } from 'node:string_decoder';
import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';

/** A stream whose `write` can be taken over: `process.stdout`, `process.stderr`. */
export type Output = Pick<WriteStream, 'write'>;

/**
 * Keeps a block of lines at the bottom of a terminal, and all that is written to it meanwhile (a job may use
 * `console.log`) above that block.
 */
export class LiveDisplay {
  readonly #block: ReturnType<typeof createLogUpdate>;
  readonly #restore: (() => void)[] = [];
  #frame = '';
  #isDue = false;
  /** Set while the display itself writes. */
  #isOwn = false;

  /** `others`: what else writes to the same terminal. */
  constructor(terminal: WriteStream, others: readonly Output[]) {
    const write = terminal.write.bind(terminal);
    this.#block = createLogUpdate({
      isTTY: true,
      get columns() {
        return terminal.columns;
      },
      get rows() {
        return terminal.rows;
      },
      write: (text: string) => write(text),
    } as unknown as WriteStream);
    for (const output of new Set<Output>([terminal, ...others])) this.#takeOver(output);
    // Also where the process ends by itself (an error that nobody catches): the cursor and unfinished lines come back.
    const close = (): void => this.close();
    process.once('exit', close);
    this.#restore.push(() => process.off('exit', close));
  }

  /** Replaces the block; what has not changed is not written again. */
  show(lines: readonly string[]): void {
    this.#frame = lines.join('\n');
    if (!this.#isDue) this.#render();
  }

  /** Leaves the block as it is, below everything, and gives the streams back. */
  close(): void {
    for (const restore of this.#restore.splice(0)) restore();
    this.#render();
    this.#block.done();
  }

  #render(): void {
    this.#isDue = false;
    if (this.#frame === '') return;
    this.#isOwn = true;
    this.#block(this.#frame);
    this.#isOwn = false;
  }

  /** Whole lines go above the block at once; the block comes back when the event loop turns, not after each of them. */
  #takeOver(output: Output): void {
    const { write } = output;
    const decoder = new StringDecoder('utf8');
    let rest = '';
    const print = (text: string): void => {
      if (text === '') return;
      if (!this.#isDue) {
        this.#block.clear();
        this.#isDue = true;
        setImmediate(() => {
          if (this.#isDue) this.#render();
        });
      }
      write.call(output, text);
    };
    output.write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      if (this.#isOwn) return write.call(output, chunk as string);
      const text = rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk as Buffer));
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      print(text.slice(0, end));
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') process.nextTick(done as () => void);
      return true;
    };
    this.#restore.push(() => {
      output.write = write;
      print(rest === '' ? '' : `${rest}\n`);
    });
  }
}
