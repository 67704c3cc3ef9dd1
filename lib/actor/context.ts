import { UserCodeError } from '../errors.ts';
import type { Side } from '../job/handle.ts';
import type { Key } from '../stream/elements.ts';
import type { Scope } from '../stream/stage.ts';
import type { ActorContext, Behaviour, TimerKind, Timers } from './behaviour.ts';
import type { Effects } from './effects.ts';
import type { NoStateKinds } from './state-kind.ts';
import { returnedState, verifyStorable } from './state-update.ts';
import { undrafted } from './undrafted.ts';

/** What the context shows of its actor. */
export interface ContextOwner {
  readonly name: string;
  readonly watermark: number;
  readonly freezesState: boolean;
}

type AnyHandles = Readonly<Record<never, never>>;

/**
 * What an actor's handlers are given; one for all of its records. It is a class, and not an object with getters, because
 * those make each access to such an object slow; what is called is a property of its own, so that handlers may take it apart.
 */
export class Context implements ActorContext<unknown, Key | undefined, NoStateKinds, unknown> {
  readonly timers: Timers;
  readonly states: AnyHandles;
  readonly emit: (value: unknown, timestamp?: number) => void;
  readonly side: (tag: Side<unknown>, value: unknown) => void;
  readonly request: (value: unknown) => void;
  readonly forget: () => void;
  readonly now: () => number;
  readonly #owner: ContextOwner;
  readonly #scope: Scope;

  constructor(
    owner: ContextOwner,
    scope: Scope,
    effects: Effects<unknown>,
    states: AnyHandles,
    {
      sides,
      onTimer,
      update,
      requests,
    }: Pick<Behaviour<never, never, never, Key | undefined>, 'sides' | 'onTimer' | 'update' | 'requests'>,
  ) {
    this.#owner = owner;
    this.#scope = scope;
    this.states = states;
    this.timers = timersOf(owner, effects, onTimer !== undefined);
    this.emit = (value, timestamp) => {
      if (timestamp === undefined) effects.emit(value);
      else effects.emitAt(value, timestamp);
    };
    const declared = new Set(sides?.map(tag => tag.name));
    this.side = (tag, value) => {
      if (!declared.has(tag.name)) {
        throw new UserCodeError(
          `The actor "${owner.name}" emits to the side output "${tag.name}" but does not declare it: name it in "sides".`,
        );
      }
      effects.side(tag, update === 'return' ? value : undrafted(value));
    };
    this.request = value => {
      if (requests === undefined)
        throw new UserCodeError(`The actor "${owner.name}" makes a request but has no "requests".`);
      const request = update === 'return' ? value : undrafted(value);
      verifyStorable(request, owner.name, true);
      effects.request(returnedState<unknown>(undefined, request, owner.freezesState));
    };
    this.forget = () => effects.forget();
    this.now = () => scope.scheduler.now();
  }

  get key(): Key | undefined {
    return this.#scope.key;
  }

  get timestamp(): number {
    return this.#scope.timestamp;
  }

  get watermark(): number {
    return this.#owner.watermark;
  }
}

function timersOf(owner: ContextOwner, effects: Effects<unknown>, hasHandler: boolean): Timers {
  const call = (kind: TimerKind, time: number, isSet: boolean): void => {
    if (!hasHandler) throw new UserCodeError(`The actor "${owner.name}" uses timers but has no onTimer.`);
    if (Number.isNaN(time))
      throw new UserCodeError(`The actor "${owner.name}" set a timer for NaN: its record has no timestamp.`);
    effects.timer(kind, time, isSet);
  };
  return {
    atEventTime: time => call('event', time, true),
    atProcessingTime: time => call('processing', time, true),
    cancelEventTime: time => call('event', time, false),
    cancelProcessingTime: time => call('processing', time, false),
  };
}
