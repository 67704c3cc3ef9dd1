import type { CommandWords } from './encode-command.ts';

const chunkRecords = 512;
const chunkChars = 64 * 1024;
/** How long fewer records wait for more, ms: they hold credits meanwhile. */
const lingerMs = 5;

/** How a chunk is sent, which may be asked again after a failure, and whose it is. */
export interface Sending<Owner> {
  readonly owner: Owner;
  send(): Promise<void>;
}

/** What a queue does with chunks. */
export interface QueueWork<Owner> {
  /** Takes the commands of a chunk. */
  pack(commands: readonly CommandWords[]): Sending<Owner>;
  /** So many records of this owner were sent. */
  sent(records: number, owner: Owner): void;
  /** Sending failed outside a call; it is tried again at the next `drain`. */
  failed(error: unknown): void;
}

interface Chunk<Owner> {
  readonly sending: Sending<Owner>;
  readonly records: number;
}

/** Commands on their way to Redis: gathered into chunks that are sent one after another beside the stream. */
export class CommandQueue<Owner> {
  readonly #work: QueueWork<Owner>;
  readonly #chunks: Chunk<Owner>[] = [];
  #commands: CommandWords[] = [];
  #records = 0;
  #chars = 0;
  /** Chunks ever queued, and ever sent. */
  #queued = 0;
  #sent = 0;
  #sending: Promise<void> | undefined;
  #hasFailed = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(work: QueueWork<Owner>) {
    this.#work = work;
  }

  /** Takes the commands of one record. */
  append(commands: readonly CommandWords[]): void {
    for (const words of commands) {
      this.#commands.push(words);
      for (const word of words) this.#chars += word.length;
    }
    this.#records++;
    if (this.#records >= chunkRecords || this.#chars >= chunkChars) this.cut();
    else this.#timer ??= setTimeout(() => this.cut(), lingerMs);
  }

  /** Closes the chunk that is being gathered. */
  cut(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#records === 0) return;
    const commands = this.#commands;
    const records = this.#records;
    this.#commands = [];
    this.#records = 0;
    this.#chars = 0;
    this.push(this.#work.pack(commands), records);
  }

  /** Sends something else behind what was appended. */
  push(sending: Sending<Owner>, records = 0): void {
    this.#chunks.push({ sending, records });
    this.#queued++;
    this.#begin();
  }

  /** Resolves once everything appended so far is sent; rejects with what prevents it. */
  async drain(): Promise<void> {
    this.cut();
    const upTo = this.#queued;
    await this.#sending?.catch(() => {});
    this.#hasFailed = false;
    while (this.#sent < upTo) {
      if (this.#isClosed) throw new Error('the sink was closed');
      this.#begin();
      await this.#sending;
    }
  }

  /** Drops what is not sent, and resolves when nothing is under way any more: to whether the last chunk could be sent. */
  async close(): Promise<boolean> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#chunks.length = 0;
    await this.#sending?.catch(() => {});
    return !this.#hasFailed;
  }

  /** Starts to send unless that is under way, or failed since the last `drain`. */
  #begin(): void {
    if (this.#sending || this.#hasFailed || this.#isClosed) return;
    const sending = this.#send().finally(() => {
      this.#sending = undefined;
    });
    this.#sending = sending;
    sending.catch(error => {
      this.#hasFailed = true;
      if (!this.#isClosed) this.#work.failed(error);
    });
  }

  async #send(): Promise<void> {
    for (let chunk = this.#chunks[0]; chunk; chunk = this.#chunks[0]) {
      await chunk.sending.send();
      if (this.#isClosed) return;
      this.#chunks.shift();
      this.#sent++;
      this.#work.sent(chunk.records, chunk.sending.owner);
    }
  }
}
