import type { ActorCapture } from '../checkpoint/participants.ts';
import type { SegmentWriter } from '../checkpoint/segment.ts';
import { Stamped, StoredValueEncoder } from '../checkpoint/stamped-value.ts';
import { ValueEncoder } from '../checkpoint/value-codec.ts';
import {
  messageOf,
  type TidemarkError,
  type TidemarkErrorOptions,
  UnsupportedStateError,
  UserCodeError,
} from '../errors.ts';
import type { Key } from '../stream/elements.ts';
import type { Behaviour, StateCodec, TimerKind } from './behaviour.ts';
import { keyOf, type MapKey } from './key.ts';
import { encodeKey, KeyEncoder } from './key-codec.ts';
import { entryOf, KeyedEntries } from './keyed-entries.ts';
import { CaptureReader, KeyedState } from './keyed-state.ts';
import type { StoredRequest } from './requests/requests.ts';
import type { StateKinds } from './state-kind.ts';
import { type TimerCapture, TimerQueue } from './timer-queue.ts';

/** Kinds of entries in an actor's segments. */
export const entryKinds = { state: 0, event: 1, processing: 2, entry: 3, request: 4 } as const;

type AnyBehaviour = Behaviour<unknown, unknown, unknown, Key | undefined>;

/** All that an actor remembers: values by key, timers, and requests whose answers have not been handled. */
export class ActorState {
  readonly name: string;
  readonly version: number;
  readonly values = new KeyedState<unknown>();
  /** Of the states that it declares. */
  readonly entries: KeyedEntries;
  /** By a number that rises with them. */
  readonly requests = new KeyedState<StoredRequest>();
  private readonly behaviour: AnyBehaviour;
  private readonly event = new TimerQueue();
  private readonly processing = new TimerQueue();

  constructor(name: string, behaviour: AnyBehaviour) {
    this.name = name;
    this.behaviour = behaviour;
    this.version = behaviour.version ?? 1;
    const declared: StateKinds = behaviour.states ?? {};
    this.entries = new KeyedEntries(new Map(Object.entries(declared).map(([state, { kind }]) => [state, kind])));
  }

  timers(kind: TimerKind): TimerQueue {
    return kind === 'event' ? this.event : this.processing;
  }

  /** The keys with state in an order that does not depend on how they came: by type, then by value. */
  sortedKeys(): MapKey[] {
    const keys = this.entries.keys();
    for (const { key } of this.values.cells()) keys.add(key);
    return [...keys].sort(compareKeys);
  }

  /** After a migration: the next snapshot holds everything, and the chain begins anew. Before the first change. */
  markAllChanged(): void {
    this.values.markAllChanged();
    this.entries.markAllChanged();
    this.requests.markAllChanged();
    this.event.markAllChanged();
    this.processing.markAllChanged();
  }

  /** What differs from the last committed snapshot, as it is now; O(1). */
  capture(): ActorCapture {
    return new StateCapture(this, this.behaviour, this.event, this.processing);
  }
}

class StateCapture implements ActorCapture {
  readonly version: number;
  readonly keys: number;
  readonly isFull: boolean;
  readonly isEmpty: boolean;
  private readonly state: ActorState;
  private readonly behaviour: AnyBehaviour;
  private readonly parts: readonly CapturedPart[];

  constructor(state: ActorState, behaviour: AnyBehaviour, event: TimerQueue, processing: TimerQueue) {
    this.state = state;
    this.behaviour = behaviour;
    this.version = state.version;
    const { values, entries, requests } = state;
    const captured = values.capture();
    const capturedEntries = entries.capture();
    const capturedRequests = requests.capture();
    const timers = [
      { queue: event, kind: entryKinds.event, capture: event.capture() },
      { queue: processing, kind: entryKinds.processing, capture: processing.capture() },
    ];
    this.keys = captured.keys;
    const captures = [captured, capturedEntries, capturedRequests, ...timers.map(({ capture }) => capture)];
    this.isFull = captures.every(({ canBeFull }) => canBeFull);
    this.isEmpty = captures.every(({ size }) => size === 0);
    this.parts = [
      {
        reader: this.valueReader(new CaptureReader(captured, this.isFull || captured.isFull)),
        commit: () => values.commit(captured),
        abandon: () => values.abandon(captured),
      },
      {
        reader: this.entryReader(new CaptureReader(capturedEntries, this.isFull || capturedEntries.isFull)),
        commit: () => entries.commit(capturedEntries),
        abandon: () => entries.abandon(capturedEntries),
      },
      {
        reader: this.requestReader(new CaptureReader(capturedRequests, this.isFull || capturedRequests.isFull)),
        commit: () => requests.commit(capturedRequests),
        abandon: () => requests.abandon(capturedRequests),
      },
      ...timers.map(part => timerPart(part, this.isFull)),
    ];
  }

  encode(writer: SegmentWriter, maxEntries: number): boolean {
    for (const part of this.parts) if (part.reader(writer, maxEntries)) return true;
    return false;
  }

  commit(): void {
    for (const part of this.parts) part.commit();
  }

  abandon(): void {
    for (const part of this.parts) part.abandon();
  }

  private valueReader(reader: CaptureReader<unknown>): CapturedPart['reader'] {
    const { codec } = this.behaviour;
    const keys = new KeyEncoder();
    const values = new StoredValueEncoder();
    return (writer, maxEntries) =>
      reader.next(maxEntries, (key, value, isDeleted) => {
        if (isDeleted) {
          writer.remove(entryKinds.state, encodeKey(key));
          return;
        }
        const stored = codec ? this.encoded(codec, key, value) : value;
        try {
          writer.putRange(entryKinds.state, keys.encode(key), values.encode(stored));
        } catch (error) {
          if (!(error instanceof UnsupportedStateError)) throw error;
          throw this.failure(UnsupportedStateError, 'cannot be stored', key, error);
        }
      });
  }

  private entryReader(reader: CaptureReader<unknown>): CapturedPart['reader'] {
    const keys = new KeyEncoder();
    const values = new StoredValueEncoder();
    return (writer, maxEntries) =>
      reader.next(maxEntries, (name, value, isDeleted) => {
        if (isDeleted) {
          writer.remove(entryKinds.entry, encodeKey(name));
          return;
        }
        try {
          writer.putRange(entryKinds.entry, keys.encode(name), values.encode(value));
        } catch (error) {
          if (!(error instanceof UnsupportedStateError)) throw error;
          const { state, kind, key } = entryOf(name);
          throw this.failure(UnsupportedStateError, `cannot be stored in its ${kind} "${state}"`, key, error);
        }
      });
  }

  private requestReader(reader: CaptureReader<StoredRequest>): CapturedPart['reader'] {
    const keys = new KeyEncoder();
    const values = new ValueEncoder();
    return (writer, maxEntries) =>
      reader.next(maxEntries, (id, request, isDeleted) => {
        if (isDeleted) {
          writer.remove(entryKinds.request, encodeKey(id));
          return;
        }
        try {
          writer.putRange(entryKinds.request, keys.encode(id), values.encode(request));
        } catch (error) {
          if (!(error instanceof UnsupportedStateError)) throw error;
          throw this.failure(UnsupportedStateError, 'holds a request that cannot be stored', request[1], error);
        }
      });
  }

  private encoded(codec: StateCodec<unknown>, key: MapKey, value: unknown): unknown {
    try {
      return value instanceof Stamped
        ? new Stamped(codec.encode(value.value), value.at, value.clock)
        : codec.encode(value);
    } catch (error) {
      throw this.failure(UserCodeError, 'could not be encoded by its codec', key, error);
    }
  }

  private failure(
    Failure: new (message: string, options: TidemarkErrorOptions) => TidemarkError,
    what: string,
    key: MapKey,
    cause: unknown,
  ): TidemarkError {
    const { name } = this.state;
    const message = `The state of the actor "${name}" for key ${String(keyOf(key))} ${what}: ${messageOf(cause)}`;
    return new Failure(message, { cause, context: { operator: name } });
  }
}

interface CapturedPart {
  /** Writes up to so many entries; whether there are others. */
  readonly reader: (writer: SegmentWriter, maxEntries: number) => boolean;
  commit(): void;
  abandon(): void;
}

const noValue = new Uint8Array(0);

function timerPart(
  { queue, kind, capture }: { queue: TimerQueue; kind: number; capture: TimerCapture },
  isFull: boolean,
): CapturedPart {
  const reader = queue.reader(capture, isFull || capture.isFull);
  return {
    reader: (writer, maxEntries) =>
      reader.next(maxEntries, (timer, isDeleted) => {
        if (isDeleted) writer.remove(kind, timer);
        else writer.put(kind, timer, noValue);
      }),
    commit: () => queue.commit(capture),
    abandon: () => queue.abandon(capture),
  };
}

function compareKeys(a: MapKey, b: MapKey): number {
  if (typeof a !== typeof b) return typeof a < typeof b ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
