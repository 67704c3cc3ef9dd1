import { randomBytes, randomUUID } from 'node:crypto';
import { type Json, type Key, messageOf, type SinkContext, type SinkWriter } from '../../../lib/index.ts';
import { Connection } from '../connection.ts';
import { serverNotices } from '../server-notices.ts';
import { CommandQueue, type Sending } from './command-queue.ts';
import type { CommandWords } from './encode-command.ts';
import { readHandle, type SinkHandle } from './handle.ts';
import { sinkKeys } from './keys.ts';
import type { SinkSettings } from './options.ts';
import { packWords } from './pack-words.ts';
import { PartLedger } from './part-ledger.ts';
import { pointerOf } from './pointer.ts';
import { RecordCommands } from './record-commands.ts';
import { type Requirement, Requirements } from './requirements.ts';
import { type SinkScript, sinkScripts } from './scripts/index.ts';
import { SinkScripts } from './sink-scripts.ts';
import { claimedError, type SinkPlace, verdictError } from './verdict.ts';

const rowsInPiece = 1_000;

/** What is written between two barriers. */
interface Part {
  readonly name: string;
  readonly requirements: Requirements;
  /** The kinds of its commands, each with the key of one. */
  readonly verbs: Map<string, string>;
  pieces: number;
  commands: number;
  /** Credits that are held until it is committed. */
  kept: number;
}

/**
 * Stages what follows a barrier in Redis, as a part of its own, and has a script carry out the parts of a checkpoint, all at
 * once, when it counts.
 */
export class ExactlyOnceWriter<T> implements SinkWriter<T> {
  readonly #settings: SinkSettings;
  readonly #context: SinkContext;
  readonly #connection: Connection<SinkScript>;
  readonly #scripts: SinkScripts;
  readonly #place: SinkPlace;
  readonly #queue: CommandQueue<Part>;
  readonly #commands: RecordCommands;
  #ledger = new PartLedger('');
  /** The part that takes what is written now. */
  #open: Part | undefined;
  readonly #sealed = new Map<string, Part>();
  #parts = 0;
  /** Credits that this sink holds. */
  #held = 0;
  #isClosed = false;

  constructor(settings: SinkSettings, context: SinkContext) {
    const { job, task, token } = context;
    this.#settings = settings;
    this.#context = context;
    this.#connection = new Connection(settings.redis, { user: 'sink', scripts: sinkScripts });
    const keys = sinkKeys(settings.redis.prefix, { job, task, name: settings.name }, settings.hashTag);
    this.#place = { sink: settings.name, job, location: settings.redis.location, token, stateKey: keys.state };
    this.#scripts = new SinkScripts(this.#connection, keys, this.#place, randomUUID());
    this.#commands = new RecordCommands(settings);
    this.#queue = new CommandQueue({
      pack: commands => this.#pieceOf(this.#part(), commands),
      sent: (records, part) => this.#staged(records, part),
      failed: error => {
        const fields = { sink: settings.name, reason: messageOf(error) };
        context.logger.warn(fields, 'output could not be staged; it is kept and tried again at the next checkpoint');
      },
    });
  }

  async restore(
    from: { readonly id: number; readonly token: number; readonly handle: Json } | undefined,
  ): Promise<void> {
    const { name, existing } = this.#settings;
    // What an at-least-once sink of this name has left is nothing.
    const handle = from && from.handle !== null ? readHandle(from.handle, name) : undefined;
    const restored = from && handle ? pointerOf(from) : '';
    const [verdict = '', applied = '', ...staged] = await this.#scripts.claim(
      restored,
      handle ?? { after: '', parts: [] },
      existing === 'keep',
    );
    if (verdict === 'stale') throw claimedError(applied, this.#place);
    const isAsExpected = verdict === 'applied' || verdict === 'pending';
    if (!isAsExpected && existing !== 'keep') throw verdictError([verdict, applied], this.#place);
    if (!isAsExpected) {
      const fields = { sink: name, output: applied, checkpoint: restored };
      this.#context.logger.warn(fields, 'the output is not that of the restored checkpoint; it is written on as it is');
    }
    const isPending = verdict === 'pending' && handle !== undefined && handle.parts.length > 0;
    if (isPending) await this.#apply(restored, handle);
    this.#ledger = new PartLedger(isPending ? restored : applied);
    // What is left belongs to earlier incarnations, and to no checkpoint that counts.
    const done = new Set(isPending ? handle.parts.map(part => part.name) : []);
    await this.#drop(staged.filter(part => !done.has(part)));
    await this.#tellNotices();
  }

  write(value: T, timestamp: number, key: Key | undefined): void {
    const part = this.#part();
    const commands = this.#commands.of(value, timestamp, key, part.requirements);
    if (commands.length === 0) return;
    part.commands += commands.length;
    for (const [verb, key] of commands)
      if (!part.verbs.has(verb as string)) part.verbs.set(verb as string, key as string);
    this.#held++;
    this.#context.credits.acquire(1);
    this.#queue.append(commands);
  }

  barrier(id: number): void {
    this.#queue.cut();
    const part = this.#open;
    if (!part || part.commands === 0) {
      this.#ledger.draw(id, undefined);
      return;
    }
    this.#open = undefined;
    part.pieces += this.#stageRows(part);
    this.#sealed.set(part.name, part);
    const { name, pieces, commands } = part;
    this.#ledger.draw(id, { name, pieces, commands });
  }

  async flush(id: number): Promise<Json> {
    const handle = this.#ledger.handle(id);
    await this.#queue.drain();
    if (handle.parts.length > 0) {
      const parts = handle.parts.flatMap(({ name }) => this.#sealed.get(name) ?? []);
      const lighter = this.#verifySequence(parts);
      if (lighter.length > 0) {
        for (const part of lighter) this.#stageRows(part);
        await this.#queue.drain();
      }
      const verbs = new Map(parts.flatMap(part => [...part.verbs]));
      const words = [verbs.size, ...[...verbs].flat(), ...wordsOf(handle)];
      await this.#scripts.durably(`stage checkpoint ${id}`, () =>
        this.#scripts.run('stage output', 'sealSink', ...words),
      );
    }
    return handle as Json;
  }

  async commit(id: number, json: Json): Promise<void> {
    if (this.#ledger.isCommitted(id)) return;
    const handle = readHandle(json, this.#settings.name);
    const checkpoint = pointerOf({ token: this.#context.token, id });
    if (handle.parts.length > 0) await this.#apply(checkpoint, handle);
    this.#ledger.commit(id, handle, checkpoint);
    for (const { name } of handle.parts) {
      this.#release(this.#sealed.get(name)?.kept ?? 0);
      this.#sealed.delete(name);
    }
  }

  abandon(id: number): void {
    this.#ledger.abandon(id);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const unfinished = this.#open;
    // A sealed part may belong to a checkpoint whose outcome nobody here knows: it stays for the next incarnation.
    const isHealthy = await this.#queue.close();
    if (isHealthy && unfinished && unfinished.pieces > 0) await this.#drop([unfinished.name]);
    await this.#connection.close();
    const held = this.#held;
    this.#held = 0;
    this.#context.credits.release(held);
  }

  #part(): Part {
    this.#open ??= {
      name: `${this.#context.token}-${++this.#parts}-${randomBytes(4).toString('hex')}`,
      requirements: new Requirements(),
      verbs: new Map(),
      pieces: 0,
      commands: 0,
      kept: 0,
    };
    return this.#open;
  }

  #pieceOf(part: Part, commands: readonly CommandWords[]): Sending<Part> {
    const piece = String(part.pieces++);
    const bytes = packWords(commands);
    return { owner: part, send: () => this.#stage(part, piece, bytes) };
  }

  /** Packed when their turn comes: a barrier must not wait for it. Answers how many pieces they make. */
  #stageRows(part: Part): number {
    const rows = part.requirements.rows();
    const pieces = Math.ceil(part.requirements.size / rowsInPiece);
    for (let i = 0; i < pieces; i++) {
      let bytes: Buffer | undefined;
      const send = () => {
        bytes ??= packWords(taken(rows, rowsInPiece));
        return this.#stage(part, `n${i}`, bytes);
      };
      this.#queue.push({ owner: part, send });
    }
    return pieces;
  }

  /** The parts that need less of Redis behind those before them than was staged. */
  #verifySequence(parts: readonly Part[]): Part[] {
    const all = parts.map(({ requirements }) => requirements);
    return parts.filter(
      ({ requirements }, at) => at > 0 && this.#commands.guard(() => requirements.verifyBehind(all.slice(0, at))),
    );
  }

  #stage(part: Part, piece: string, bytes: Buffer): Promise<void> {
    return this.#scripts.run('stage output', 'stageSink', part.name, piece, bytes);
  }

  /** Staged records need no memory here; past the limit they go on to hold their credits, which brings a checkpoint. */
  #staged(records: number, part: Part): void {
    const waiting = this.#ledger.uncommitted + (this.#open?.commands ?? 0);
    if (waiting > this.#settings.maxCommands) part.kept += records;
    else this.#release(records);
  }

  #release(records: number): void {
    if (this.#isClosed || records === 0) return;
    this.#held -= records;
    this.#context.credits.release(records);
  }

  async #apply(checkpoint: string, handle: SinkHandle): Promise<void> {
    await this.#scripts.durably(`apply checkpoint ${checkpoint}`, () =>
      this.#scripts.run('make output visible', 'applySink', checkpoint, handle.after, ...wordsOf(handle)),
    );
  }

  /** What only frees space: that it failed is told, and harms nothing. */
  async #drop(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    try {
      await this.#scripts.run('remove staged output', 'dropSink', ...names);
    } catch (error) {
      const fields = { sink: this.#settings.name, reason: messageOf(error) };
      this.#context.logger.warn(fields, 'staged output that nobody needs could not be removed');
    }
  }

  async #tellNotices(): Promise<void> {
    for (const { level, message } of await serverNotices(this.#connection)) {
      this.#context.logger[level]({ sink: this.#settings.name }, message);
    }
  }
}

const wordsOf = ({ parts }: SinkHandle): (string | number)[] => parts.flatMap(({ name, pieces }) => [name, pieces]);

function taken(rows: Iterator<Requirement>, count: number): Requirement[] {
  const some: Requirement[] = [];
  while (some.length < count) {
    const next = rows.next();
    if (next.done) break;
    some.push(next.value);
  }
  return some;
}
