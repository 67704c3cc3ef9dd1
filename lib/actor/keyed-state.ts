import { InternalError } from '../errors.ts';
import type { MapKey } from './key.ts';

const tombstone = Symbol('deleted');
const dead = -1;

/** Keys of a table that a capture still goes through: fewer than it takes a moment to. */
const smallTable = 4_096;

/** The state of one key. Only the table changes it; it is valid until the next change of its key. */
export class Cell<S> {
  readonly key: MapKey;
  value: S;
  /** When it was last changed (see `KeyedState`); 0 when it is as restored. */
  epoch: number;

  constructor(key: MapKey, value: S, epoch: number) {
    this.key = key;
    this.value = value;
    this.epoch = epoch;
  }
}

/**
 * The state of an actor by key, with capture in O(1).
 *
 * Cells that changed since the last commit are listed once in `#changed`, deletions as cells that hold a tombstone. A cell
 * is listed exactly when its epoch is at least `#listedFrom`; it is then changed in place, which is all that most records
 * cost. A capture takes the list and starts an epoch: from then on its cells are held, and a write puts a new cell into the
 * table instead. A commit forgets the captured list; an abandoned capture gets the newer list appended, so that a capture
 * is always relative to the last committed one. Where one key is listed twice, it is as a deletion and then a new value.
 * So entries that are applied to a `Map` in their order give back the order of the keys, too.
 *
 * Epochs are even. A cell that came into being in its epoch has the odd number after it: when it is deleted before anything
 * of it was captured, nothing needs to be recorded.
 */
export class KeyedState<S> {
  readonly #table = new Map<MapKey, Cell<S>>();
  #changed: Cell<S>[] = [];
  /** Listed cells that count no more. */
  #deadCells = 0;
  #epoch = 2;
  #listedFrom = 2;
  #open: Capture<S> | undefined;
  /** Cells of the open capture that have a newer one in the current list. */
  #replaced: Cell<S>[] = [];
  /** The next capture holds every key; so it is until one was restored or a capture of every key was committed. */
  #needsFull = true;

  /** Keys with state. */
  get size(): number {
    return this.#table.size;
  }

  /** Whether anything differs from the last committed capture (or from what was restored). */
  get isChanged(): boolean {
    return this.#changed.length > this.#deadCells || this.#open !== undefined;
  }

  cell(key: MapKey): Cell<S> | undefined {
    return this.#table.get(key);
  }

  get(key: MapKey): S | undefined {
    return this.#table.get(key)?.value;
  }

  has(key: MapKey): boolean {
    return this.#table.has(key);
  }

  /** The cells of all keys, live; in the order in which the keys came, which a restore keeps. */
  cells(): IterableIterator<Cell<S>> {
    return this.#table.values();
  }

  /** Gives the key of `cell`, which `cell(key)` just answered, a new value; needs no look-up. */
  write(cell: Cell<S>, value: S): void {
    if (cell.epoch >= this.#listedFrom) cell.value = value;
    else this.#writeUnlisted(cell, value);
  }

  set(key: MapKey, value: S): void {
    const cell = this.#table.get(key);
    if (cell !== undefined) this.write(cell, value);
    else this.#put(new Cell(key, value, this.#epoch + 1));
  }

  delete(key: MapKey): boolean {
    const cell = this.#table.get(key);
    if (cell === undefined) return false;
    this.#table.delete(key);
    if (cell.epoch < this.#listedFrom) {
      if (this.#isHeld(cell)) {
        this.#replaced.push(cell);
        this.#changed.push(new Cell(key, tombstone as S, this.#epoch));
      } else {
        cell.value = tombstone as S;
        cell.epoch = this.#epoch;
        this.#changed.push(cell);
      }
    } else if (cell.epoch % 2 === 0) {
      cell.value = tombstone as S;
    } else {
      this.#drop(cell);
      this.#sweep();
    }
    return true;
  }

  /** Puts what a snapshot holds; it does not count as a change. Only before the first change. */
  restore(key: MapKey, value: S): void {
    const cell = this.#table.get(key);
    if (cell === undefined) this.#table.set(key, new Cell(key, value, 0));
    else cell.value = value;
    this.#needsFull = false;
  }

  /** Applies a deletion that a snapshot holds; it does not count as a change. Only before the first change. */
  restoreDeletion(key: MapKey): void {
    this.#table.delete(key);
    this.#needsFull = false;
  }

  /** Makes the next capture hold every key, as after a migration. Takes time in proportion to the keys: for the time of restore. */
  markAllChanged(): void {
    if (this.#open)
      throw new InternalError('All state was marked as changed while a capture is open. Please report this.');
    for (const cell of this.#table.values()) {
      if (cell.epoch >= this.#listedFrom) continue;
      cell.epoch = this.#epoch;
      this.#changed.push(cell);
    }
    this.#needsFull = true;
  }

  /** What changed since the last committed capture, as it is now; in O(1). At most one is open at a time. */
  capture(): Capture<S> {
    if (this.#open) throw new InternalError('State was captured while a capture is open. Please report this.');
    const capture = new Capture(
      this.#changed,
      this.#deadCells,
      this.#listedFrom,
      this.#table.size,
      this.#needsFull,
      this.#whole(),
    );
    this.#open = capture;
    this.#changed = [];
    this.#deadCells = 0;
    this.#epoch += 2;
    this.#listedFrom = this.#epoch;
    return capture;
  }

  /** The checkpoint of this capture was committed: the next one is relative to it. */
  commit(capture: Capture<S>): void {
    if (this.#open !== capture)
      throw new InternalError('A capture that is not open was committed. Please report this.');
    capture.close();
    this.#open = undefined;
    this.#replaced = [];
    if (capture.isFull) this.#needsFull = false;
  }

  /** The checkpoint of this capture does not count: the next one holds its changes too. Does nothing when it is not open. */
  abandon(capture: Capture<S>): void {
    if (this.#open !== capture) return;
    const newer = this.#changed;
    this.#changed = capture.close();
    this.#deadCells += capture.deadCells;
    for (const cell of newer) this.#changed.push(cell);
    for (const cell of this.#replaced) this.#takeBack(cell);
    this.#open = undefined;
    this.#replaced = [];
    this.#listedFrom = capture.listedFrom;
    this.#sweep();
  }

  /** A cell that was held while its key changed: lets it stand for its key again, in its old place in the list. */
  #takeBack(cell: Cell<S>): void {
    const newer = this.#table.get(cell.key);
    if (newer === undefined || newer.epoch % 2 !== 0) {
      this.#drop(cell); // deleted since, and perhaps there anew: the list says so behind it
      return;
    }
    cell.value = newer.value;
    this.#table.set(cell.key, cell);
    this.#drop(newer);
  }

  /**
   * All cells when each of a small table has changed: to write the whole state takes no more than to write the changes, and
   * what was written before is no longer needed.
   */
  #whole(): readonly Cell<S>[] | undefined {
    const { size } = this.#table;
    if (size > smallTable || this.#changed.length - this.#deadCells < size) return undefined;
    const cells = [...this.#table.values()];
    return cells.every(cell => cell.epoch >= this.#listedFrom) ? cells : undefined;
  }

  #isHeld(cell: Cell<S>): boolean {
    return this.#open !== undefined && cell.epoch >= this.#open.listedFrom;
  }

  #writeUnlisted(cell: Cell<S>, value: S): void {
    if (this.#isHeld(cell)) {
      this.#replaced.push(cell);
      this.#put(new Cell(cell.key, value, this.#epoch));
    } else {
      cell.value = value;
      cell.epoch = this.#epoch;
      this.#changed.push(cell);
    }
  }

  #put(cell: Cell<S>): void {
    this.#table.set(cell.key, cell);
    this.#changed.push(cell);
  }

  #drop(cell: Cell<S>): void {
    cell.epoch = dead;
    cell.value = tombstone as S;
    this.#deadCells++;
  }

  /** Keeps the list in proportion to the keys that changed, however often keys come and go. */
  #sweep(): void {
    if (this.#deadCells < 1_024 || this.#deadCells * 2 < this.#changed.length) return;
    this.#changed = this.#changed.filter(cell => cell.epoch !== dead);
    this.#deadCells = 0;
  }
}

/** The changes of a table at a barrier; they cannot change any more until the capture is committed or abandoned. */
export class Capture<S> {
  /** Keys with state at the barrier. */
  readonly keys: number;
  /** Whether it holds every key, rather than what changed since the last committed capture. */
  readonly isFull: boolean;
  /** For the table: what it needs to take the capture back. */
  readonly deadCells: number;
  readonly listedFrom: number;
  #cells: Cell<S>[] | undefined;
  readonly #whole: readonly Cell<S>[] | undefined;

  constructor(
    cells: Cell<S>[],
    deadCells: number,
    listedFrom: number,
    keys: number,
    isFull: boolean,
    whole: readonly Cell<S>[] | undefined,
  ) {
    this.#cells = cells;
    this.deadCells = deadCells;
    this.listedFrom = listedFrom;
    this.keys = keys;
    this.isFull = isFull;
    this.#whole = whole;
  }

  /** Whether it can be read in full, because it must be or because all of a small state has changed. */
  get canBeFull(): boolean {
    return this.isFull || this.#whole !== undefined;
  }

  /** Entries at most. */
  get size(): number {
    return this.cells().length - this.deadCells;
  }

  /** For the reader. */
  shown(isFull: boolean): readonly Cell<S>[] {
    const cells = this.cells();
    return (isFull && this.#whole) || cells;
  }

  /** For the table. */
  cells(): Cell<S>[] {
    if (!this.#cells) {
      throw new InternalError('A capture was read after it was committed or abandoned. Please report this.');
    }
    return this.#cells;
  }

  /** For the table. */
  close(): Cell<S>[] {
    const cells = this.cells();
    this.#cells = undefined;
    return cells;
  }
}

/** Reads a capture in slices; entries are to be applied in their order: a deletion may be followed by a new value. */
export class CaptureReader<S> {
  readonly #capture: Capture<S>;
  readonly #isFull: boolean;
  #at = 0;

  /** `isFull`: shows every key and no deletion, where the capture can be full. */
  constructor(capture: Capture<S>, isFull = capture.isFull) {
    this.#capture = capture;
    this.#isFull = isFull;
  }

  /**
   * Visits up to `maxEntries` more entries and answers whether there may be others. `value` means nothing when `isDeleted`.
   */
  next(maxEntries: number, visit: (key: MapKey, value: S, isDeleted: boolean) => void): boolean {
    const cells = this.#capture.shown(this.#isFull);
    const end = Math.min(cells.length, this.#at + maxEntries);
    for (; this.#at < end; this.#at++) {
      const cell = cells[this.#at] as Cell<S>;
      if (cell.epoch === dead) continue;
      const isDeleted = (cell.value as unknown) === tombstone;
      if (!isDeleted || !this.#isFull) visit(cell.key, cell.value, isDeleted);
    }
    return end < cells.length;
  }
}
