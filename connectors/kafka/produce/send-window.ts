import { InternalError } from '../../../lib/index.ts';
import { sequenceAfter } from './sequence.ts';

/** A batch on its way, with what identifies its records for the broker. */
export interface Slot<B> {
  readonly batch: B;
  /** Of its first record; -1 until it is sent for the first time, and then for good. */
  readonly baseSequence: number;
  /** How often it was sent. */
  readonly sends: number;
}

type SlotState = 'waiting' | 'in flight' | 'again' | 'acknowledged';

interface OpenSlot<B> extends Slot<B> {
  baseSequence: number;
  sends: number;
  state: SlotState;
}

/**
 * Which batch of one partition may be sent next, so that order is kept and the broker can tell a repeat. Only the oldest
 * `limit` batches that lack an acknowledgement are sent: a broker remembers five batches of a producer per partition, so
 * it knows each of them again. After a failure everything that is in flight is waited for; then the failed ones go one by
 * one, oldest first, with the sequence numbers that they had.
 *
 * A broker that knows nothing of a producer takes any sequence number as the first: were a first batch lost and the second
 * one written, the first could not follow. So until a batch is acknowledged they go one by one too.
 */
export class SendWindow<B extends { readonly recordCount: number }> {
  readonly #limit: number;
  /** Oldest first; those that were sent lie before those that wait. */
  readonly #slots: OpenSlot<B>[] = [];
  #nextSequence: number;
  #sent = 0;
  #inFlight = 0;
  #failed = 0;
  #isKnown = false;

  constructor(limit: number, firstSequence = 0) {
    this.#limit = limit;
    this.#nextSequence = firstSequence;
  }

  /** Batches without an acknowledgement. */
  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  /** Whether a batch that came now could be sent at once. */
  get hasRoom(): boolean {
    return this.#failed === 0 && this.#slots.length < this.#most;
  }

  /** Whether `next` has one. */
  get isReady(): boolean {
    if (this.#failed > 0) return this.#inFlight === 0;
    return this.#sent < this.#slots.length && this.#sent < this.#most;
  }

  add(batch: B): void {
    this.#slots.push({ batch, baseSequence: -1, sends: 0, state: 'waiting' });
  }

  /** The batch to send now; it counts as in flight from here on. */
  next(): Slot<B> | undefined {
    if (!this.isReady) return undefined;
    let slot: OpenSlot<B> | undefined;
    if (this.#failed > 0) {
      slot = this.#slots.find(({ state }) => state === 'again');
      this.#failed--;
    } else {
      slot = this.#slots[this.#sent++];
      if (slot) {
        slot.baseSequence = this.#nextSequence;
        this.#nextSequence = sequenceAfter(this.#nextSequence, slot.batch.recordCount);
      }
    }
    if (!slot) throw new InternalError('A batch that was to be sent is not there: please report it.');
    slot.state = 'in flight';
    slot.sends++;
    this.#inFlight++;
    return slot;
  }

  /** Whether every batch before this one is acknowledged. */
  isOldest(slot: Slot<B>): boolean {
    return this.#slots.find(({ state }) => state !== 'acknowledged') === slot;
  }

  acknowledged(slot: Slot<B>): void {
    this.#landed(slot).state = 'acknowledged';
    this.#isKnown = true;
    while (this.#slots[0]?.state === 'acknowledged') {
      this.#slots.shift();
      this.#sent--;
    }
  }

  /** It failed, or nobody knows: it is sent again, as the same batch. */
  again(slot: Slot<B>): void {
    this.#landed(slot).state = 'again';
    this.#failed++;
  }

  /** Sequence numbers begin at 0 again, under a new producer epoch. Only when nothing is on its way. */
  restart(): void {
    if (!this.isEmpty) throw new InternalError('Sequence numbers cannot begin again while batches are on their way.');
    this.#nextSequence = 0;
    this.#isKnown = false;
  }

  /** Nothing was written for so long that the broker may have forgotten the producer. */
  doubt(): void {
    this.#isKnown = false;
  }

  get #most(): number {
    return this.#isKnown ? this.#limit : 1;
  }

  #landed(slot: Slot<B>): OpenSlot<B> {
    const open = slot as OpenSlot<B>;
    if (open.state !== 'in flight') throw new InternalError(`A batch was answered while it was ${open.state}.`);
    this.#inFlight--;
    return open;
  }
}
