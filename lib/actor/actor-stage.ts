import { freeze } from 'immer';
import type { Stamped } from '../checkpoint/stamped-value.ts';
import { LiftError, messageOf, UserCodeError } from '../errors.ts';
import { Barrier, type Key, type Mark, Rest, Watermark } from '../stream/elements.ts';
import { Discard, type Scope, type Stage } from '../stream/stage.ts';
import type { Surroundings } from '../stream/wiring.ts';
import { actorFailure, changedInPlace, requestFailure } from './actor-failure.ts';
import { ActorState } from './actor-state.ts';
import { Alarm } from './alarm.ts';
import { type Behaviour, type DeadLetter, deadLetters, type TimerKind } from './behaviour.ts';
import { Context } from './context.ts';
import { Effects } from './effects.ts';
import { Expiry, expiringEntries, expiringValues } from './expiry.ts';
import { InPlaceWatch } from './in-place.ts';
import { keyOf, type MapKey, mapKey } from './key.ts';
import { RequestRunner } from './requests/request-runner.ts';
import type { StoredRequest } from './requests/requests.ts';
import { StateClock } from './state-clock.ts';
import { type StagedState, StateEntries, type StateOwner } from './state-entries.ts';
import { handleOf } from './state-handles.ts';
import type { NoStateKinds, StateKinds } from './state-kind.ts';
import { canDraft, draftedState, protectedState, returnedState, verifyStorable } from './state-update.ts';
import { StoredForms } from './stored-forms.ts';
import { lifetimeOf } from './ttl.ts';
import { undrafted } from './undrafted.ts';

type AnyBehaviour = Behaviour<unknown, unknown, unknown, Key | undefined, NoStateKinds, unknown, unknown>;

/** A running actor: handles one message at a time against the state of its key. */
export class ActorStage implements Stage<unknown>, StateOwner {
  readonly name: string;
  readonly state: ActorState;
  out: Stage<unknown>;
  /** Completed, or restored as completed: emits nothing again. */
  isFinished = false;
  whenFinished: () => void = () => {};
  /** Records that went to the dead letters. */
  skipped = 0;
  watermark = Number.NEGATIVE_INFINITY;
  currentKey: MapKey = mapKey(undefined);
  readonly drafts: boolean;
  /** What was stored of it, and the forms in which it works with that. */
  readonly stored: StoredForms;
  private readonly handles: readonly StagedState[];
  /** Of its own state. */
  private readonly expiry: Expiry | undefined;
  /** Of its declared states, by name. */
  private readonly expiries = new Map<string, Expiry>();
  /** Where anything expires. */
  private readonly clock: StateClock | undefined;
  private readonly hasHandles: boolean;
  private readonly behaviour: AnyBehaviour;
  private readonly scope: Scope;
  private readonly surroundings: Surroundings;
  private readonly isKeyed: boolean;
  private readonly effects = new Effects<unknown>();
  private readonly context: Context;
  private readonly sides = new Map<string, Stage<unknown>[]>();
  private readonly recipe: (draft: unknown) => unknown;
  private readonly watch = process.env.NODE_ENV === 'production' ? undefined : new InPlaceWatch();
  private message: unknown;
  private handler: Handler = 'receive';
  private kind: TimerKind = 'event';
  private readonly alarm: Alarm;
  /** Nothing may come out of it any more, before the task begins anew. */
  private isResting = false;
  /** With requests: the last watermark passed on, and whether its input and what it passes on are idle. */
  private passed = Number.NEGATIVE_INFINITY;
  private isInputIdle = false;
  private isIdle = false;
  private readonly requests: RequestRunner | undefined;
  /** What was asked, while its answer is handled. */
  private asked: unknown;
  /** The end of time, which what `onComplete` emits comes out before. */
  private endOfTime: Watermark | undefined;

  constructor(name: string, behaviour: AnyBehaviour, isKeyed: boolean, scope: Scope, surroundings: Surroundings) {
    this.name = name;
    this.behaviour = behaviour;
    this.scope = scope;
    this.surroundings = surroundings;
    this.isKeyed = isKeyed;
    this.drafts = behaviour.update !== 'return';
    this.out = new Discard(scope);
    this.state = new ActorState(name, behaviour);
    this.alarm = new Alarm(scope, () => {
      if (this.isResting) return;
      this.fireDue('processing', scope.scheduler.now());
      this.setAlarm();
    });
    const declared: StateKinds = behaviour.states ?? {};
    const { expiries } = this;
    const clock = new StateClock(name, scope);
    const lifetime = lifetimeOf(`The actor "${name}"`, behaviour.ttl);
    this.expiry = lifetime && new Expiry(lifetime, clock, expiringValues(this.state.values));
    const { entries } = this.state;
    const handles = Object.entries(declared).map(([state, kind]) => {
      const expiry = kind.lifetime && new Expiry(kind.lifetime, clock, expiringEntries(entries, state));
      if (expiry) expiries.set(state, expiry);
      return [state, handleOf(kind, new StateEntries(state, entries, this, expiry))] as const;
    });
    if (this.expiry || expiries.size > 0) this.clock = clock;
    this.stored = new StoredForms(this.state, declared, {
      codec: behaviour.codec,
      migration: behaviour.migrate,
      expiry: this.expiry,
      expiries,
      freezes: surroundings.freezesState,
      drafts: this.drafts,
    });
    this.handles = handles.map(([, handle]) => handle);
    this.hasHandles = handles.length > 0;
    this.requests = behaviour.requests && this.requestRunner(behaviour.requests);
    this.context = new Context(this, scope, this.effects, Object.fromEntries(handles), behaviour);
    this.recipe = draft => {
      const returned = this.call(this.handler, draft, this.message);
      this.resolveDrafts(draft, returned);
      return returned;
    };
  }

  /** Another reader of the side output `name`. */
  addSide(name: string, out: Stage<unknown>): void {
    const readers = this.sides.get(name);
    if (readers) readers.push(out);
    else this.sides.set(name, [out]);
  }

  /** Declared side outputs without a reader. */
  looseSides(): string[] {
    return (this.behaviour.sides ?? []).map(tag => tag.name).filter(name => !this.sides.has(name));
  }

  next(value: unknown): void {
    const { scope } = this;
    if (scope.hasFailed || this.isFinished) return;
    if (this.isKeyed && scope.key === undefined) {
      scope.fail(
        new LiftError(
          `The actor "${this.name}" needs a key, but a native operator before it emitted a value without one at its ` +
            'completion. Put keyBy() behind that operator.',
        ),
      );
      return;
    }
    let key: MapKey;
    try {
      const own = this.isKeyed ? scope.key : undefined;
      key = mapKey(this.behaviour.stateKey === undefined ? own : this.behaviour.stateKey(value, own));
    } catch (error) {
      this.handler = 'receive';
      this.supervise(error, mapKey(undefined), value);
      return;
    }
    this.handle('receive', key, value);
  }

  mark(mark: Mark): void {
    if (this.scope.hasFailed) return;
    if (mark instanceof Barrier) {
      this.clock?.set();
      this.sweep(sweptAtBarrier);
      this.surroundings.captured(this.name, mark.id, this.state.capture());
    } else if (mark instanceof Rest) this.rest();
    else this.advance(mark);
    if (this.scope.hasFailed) return;
    if (this.requests && !this.isFinished && mark instanceof Watermark) {
      this.isInputIdle = mark.isIdle === true;
      this.requests.watermark(mark.timestamp);
      this.tellIdle();
    } else this.forward(mark);
  }

  error(error: unknown): void {
    this.out.error(error);
    for (const readers of this.sides.values()) {
      for (const reader of readers) {
        if (this.scope.hasFailed) return;
        reader.error(error);
      }
    }
  }

  complete(): void {
    if (this.scope.hasFailed) return;
    // A native operator that ends early, such as take(), completes without an end of time.
    if (!this.isFinished && this.watermark < Number.POSITIVE_INFINITY) {
      this.mark(new Watermark(Number.POSITIVE_INFINITY));
      if (this.scope.hasFailed) return;
    }
    if (this.requests && !this.isFinished) this.requests.end();
    else this.finish();
  }

  private finish(): void {
    if (!this.isFinished) {
      if (this.behaviour.onComplete) this.completeKeys();
      if (this.scope.hasFailed) return;
      this.isFinished = true;
      this.close();
      this.whenFinished();
      if (this.endOfTime) this.forward(this.endOfTime);
      if (this.scope.hasFailed) return;
    }
    this.out.complete();
    for (const readers of this.sides.values()) for (const reader of readers) reader.complete();
  }

  get freezesState(): boolean {
    return this.surroundings.freezesState;
  }

  get makesRequests(): boolean {
    return this.requests !== undefined;
  }

  /** Forgets restored requests. */
  dropRequests(): void {
    for (const { key } of [...this.state.requests.cells()]) this.state.requests.delete(key);
  }

  /** Makes restored requests again. */
  resumeRequests(): void {
    if (!this.scope.hasFailed && !this.isFinished) this.requests?.open();
  }

  /** Sets the alarm for restored processing-time timers. */
  open(): void {
    this.setAlarm();
  }

  close(): void {
    this.alarm.clear();
    this.requests?.close();
  }

  private rest(): void {
    this.isResting = true;
    this.alarm.clear();
    this.requests?.rest();
  }

  /** The live state of a key, frozen; a copy is not needed, it never changes in place. */
  ask(key: Key | undefined): unknown {
    const value = this.state.values.get(mapKey(key));
    if (this.expiry === undefined || value === undefined) return freeze(value, true);
    this.clock?.set();
    return this.expiry.isOver(value as Stamped) ? undefined : freeze((value as Stamped).value, true);
  }

  private requestRunner(requests: NonNullable<AnyBehaviour['requests']>): RequestRunner {
    const { scope, surroundings } = this;
    const settled = ([, key, timestamp]: StoredRequest, work: (key: MapKey) => void): void => {
      const outer = { timestamp: scope.timestamp, key: scope.key };
      scope.timestamp = timestamp;
      scope.key = keyOf(key);
      work(key);
      scope.timestamp = outer.timestamp;
      scope.key = outer.key;
      this.tellIdle();
    };
    return new RequestRunner(requests, scope, this.state.requests, {
      name: this.name,
      answered: (stored, answer) =>
        settled(stored, key => {
          this.asked = stored[0];
          this.handle('onAnswer', key, answer);
          this.asked = undefined;
        }),
      failed: (stored, error, attempts) =>
        settled(stored, key => this.superviseRequest(error, attempts, key, stored[0])),
      passWatermark: timestamp => {
        this.passed = timestamp;
        this.forward(new Watermark(timestamp, this.isIdle));
      },
      completed: () => {
        scope.timestamp = Number.POSITIVE_INFINITY;
        scope.key = undefined;
        this.finish();
      },
      holdInput: isHeld => surroundings.holdInput(isHeld),
      random: () => surroundings.random(),
    });
  }

  /** Nothing is expected of the actor while nothing is of its input, and no request is left. */
  private tellIdle(): void {
    const isIdle = this.isInputIdle && this.state.requests.size === 0;
    if (isIdle === this.isIdle || this.scope.hasFailed) return;
    this.isIdle = isIdle;
    this.forward(new Watermark(this.passed, isIdle));
  }

  private forward(mark: Mark): void {
    if (
      this.behaviour.onComplete &&
      !this.isFinished &&
      mark instanceof Watermark &&
      mark.timestamp === Number.POSITIVE_INFINITY
    ) {
      this.endOfTime = mark;
      return;
    }
    this.out.mark(mark);
    for (const readers of this.sides.values()) for (const reader of readers) reader.mark(mark);
  }

  private completeKeys(): void {
    const { scope } = this;
    const { timestamp, key: outer } = scope;
    this.clock?.set();
    this.sweep(Number.POSITIVE_INFINITY);
    const keys = this.state.sortedKeys();
    if (keys.length === 0 && !this.isKeyed && this.behaviour.completesEmpty) keys.push(mapKey(undefined));
    for (const key of keys) {
      if (scope.hasFailed) return;
      scope.timestamp = Number.POSITIVE_INFINITY;
      scope.key = keyOf(key);
      this.handle('onComplete', key, undefined);
    }
    scope.timestamp = timestamp;
    scope.key = outer;
  }

  private advance(watermark: Watermark): void {
    this.watermark = watermark.timestamp;
    if (this.isFinished) return;
    this.fireDue('event', watermark.timestamp);
    this.clock?.advance(watermark.timestamp);
  }

  private fireDue(kind: TimerKind, upTo: number): void {
    const { scope } = this;
    const { timestamp, key: outer } = scope;
    const timers = this.state.timers(kind);
    // At the end of time every timer is due, also one that a timer sets: only those that were there fire, or it never ended.
    const last = upTo === Number.POSITIVE_INFINITY ? timers.lastOrder : Number.POSITIVE_INFINITY;
    for (let due = timers.popDue(upTo); due !== undefined; due = timers.popDue(upTo)) {
      if (scope.hasFailed) return;
      if (due.order > last) continue;
      scope.timestamp = due.time;
      scope.key = keyOf(due.key);
      this.kind = kind;
      if (kind === 'event') this.clock?.advance(due.time);
      this.handle('onTimer', due.key, due.time);
    }
    scope.timestamp = timestamp;
    scope.key = outer;
  }

  private handle(handler: Handler, key: MapKey, message: unknown): void {
    const { values } = this.state;
    this.currentKey = key;
    const cell = values.cell(key);
    let before: unknown;
    let after: unknown;
    let isWatched = false;
    const { expiry, clock } = this;
    if (clock !== undefined) clock.set(handler === 'receive' ? this.scope.timestamp : undefined);
    const held = expiry === undefined ? cell : expiry.living(cell?.value);
    try {
      if (expiry !== undefined) expiry.verifyTime();
      before = held === undefined ? this.initial(key) : held.value;
      isWatched = this.watch !== undefined && typeof before === 'object' && this.watch.before(before);
      after =
        this.drafts && canDraft(before)
          ? this.drafted(handler, before, message)
          : returnedState(before, this.call(handler, before, message), this.surroundings.freezesState);
    } catch (error) {
      this.effects.clear();
      for (const handle of this.handles) handle.discard();
      this.handler = handler;
      if (!isWatched || !this.isSpoiled()) this.supervise(error, key, message);
      return;
    }
    if (isWatched && this.isSpoiled()) return;
    if (this.hasHandles) for (const handle of this.handles) handle.apply();
    if (this.effects.forgets) this.forget(key);
    else if (expiry !== undefined) {
      const kept = after === before ? held && expiry.read(held as Stamped) : expiry.written(held as Stamped, after);
      if (kept !== undefined) values.set(key, kept);
    } else if (after !== before) {
      if (cell === undefined) values.set(key, after);
      else values.write(cell, after);
    }
    if (clock !== undefined) this.sweep(sweptAtRecord);
    if (this.effects.hasOthers) this.applyAll(handler, key, after);
    else this.emit(after);
  }

  private sweep(budget: number): void {
    this.expiry?.sweep(budget);
    for (const expiry of this.expiries.values()) expiry.sweep(budget);
  }

  private forget(key: MapKey): void {
    this.state.values.delete(key);
    if (this.hasHandles) this.state.entries.forget(key);
  }

  private initial(key: MapKey): unknown {
    const state = this.behaviour.initial(keyOf(key));
    if (typeof state === 'object' && !this.behaviour.codec) verifyStorable(state, this.name);
    return this.protect(state);
  }

  private protect(state: unknown): unknown {
    return this.surroundings.freezesState ? protectedState(state, this.drafts) : state;
  }

  /** What a handler needs is kept in the stage, so that no closure is made for each record. */
  private drafted(handler: Handler, state: unknown, message: unknown): unknown {
    this.handler = handler;
    this.message = message;
    return draftedState(state, this.recipe);
  }

  private call(handler: Handler, state: unknown, message: unknown): unknown {
    const { behaviour, context } = this;
    if (handler === 'receive') return behaviour.receive(state as never, message, context);
    if (handler === 'onTimer') return behaviour.onTimer?.(state as never, message as number, context, this.kind);
    if (handler === 'onAnswer') return behaviour.onAnswer?.(state as never, message, context, this.asked);
    return behaviour.onComplete?.(state as never, context);
  }

  /** A draft that was emitted goes out as it is now; the state itself as it is when the handler has returned. */
  private resolveDrafts(state: unknown, returned: unknown): void {
    const { effects } = this;
    for (let i = 0; i < effects.count; i++) {
      const value = effects.emittedAt(i);
      if (typeof value !== 'object' || value === null) continue;
      effects.replaceEmitted(i, value === state || value === returned ? theState : undrafted(value));
    }
  }

  /** Whether the handler changed a part of the state in place that cannot be frozen: the state before it is gone then. */
  private isSpoiled(): boolean {
    const spoiled = this.watch?.changed();
    if (spoiled === undefined) return false;
    this.effects.clear();
    this.scope.fail(changedInPlace(this.name, spoiled));
    return true;
  }

  private applyAll(handler: Handler, key: MapKey, state: unknown): void {
    const { effects } = this;
    let hasOverdue = false;
    for (const { kind, time, isSet } of effects.timerCalls) {
      const timers = this.state.timers(kind);
      hasOverdue ||= kind === 'event' && isSet && time <= this.watermark;
      if (isSet) timers.add(key, time);
      else timers.remove(key, time);
      if (kind === 'processing') this.setAlarm();
    }
    const sides = effects.takeSides();
    const requests = effects.takeRequests();
    this.emit(state);
    for (const { name, value } of sides) this.emitSide(name, value);
    for (const request of requests) this.request(handler, key, request);
    // Not left for the next watermark: a restore gives the stage the watermark that it has now, and would fire them then.
    if ((handler === 'receive' || handler === 'onAnswer') && hasOverdue) this.fireDue('event', this.watermark);
  }

  /** Elsewhere than in `receive`, what it is to come out before would have passed. */
  private request(handler: Handler, key: MapKey, request: unknown): void {
    const { scope } = this;
    if (scope.hasFailed) return;
    if (handler === 'receive') this.requests?.add(request, key, scope.timestamp);
    else {
      scope.fail(
        new UserCodeError(
          `The actor "${this.name}" makes a request in ${handler}: only receive can. Let "send" of its requests do what follows an answer.`,
          { context: { operator: this.name } },
        ),
      );
    }
  }

  private emit(state: unknown): void {
    const { effects, scope } = this;
    if (effects.hasTimes) {
      this.emitAtTheirTimes(state);
      return;
    }
    if (effects.count === 1) {
      const value = effects.takeOnly();
      if (!scope.hasFailed) this.out.next(value === theState ? state : value);
      return;
    }
    for (let i = 0; i < effects.count && !scope.hasFailed; i++) {
      const value = effects.emittedAt(i);
      this.out.next(value === theState ? state : value);
    }
    effects.clear();
  }

  private emitAtTheirTimes(state: unknown): void {
    const { effects, scope } = this;
    const { timestamp } = scope;
    for (let i = 0; i < effects.count && !scope.hasFailed; i++) {
      const value = effects.emittedAt(i);
      scope.timestamp = effects.timeAt(i) ?? timestamp;
      this.out.next(value === theState ? state : value);
    }
    scope.timestamp = timestamp;
    effects.clear();
  }

  private emitSide(name: string, value: unknown): void {
    const readers = this.sides.get(name);
    if (!readers) {
      return;
    }
    for (const reader of readers) {
      if (this.scope.hasFailed) return;
      reader.next(value);
    }
  }

  private supervise(error: unknown, key: MapKey, value: unknown): void {
    const { scope, handler, name } = this;
    const message = handler === 'onAnswer' ? this.asked : value;
    this.surviveOr(() => scope.fail(actorFailure(error, name, handler, this.keyed())), error, key, message);
  }

  private superviseRequest(error: unknown, attempts: number, key: MapKey, request: unknown): void {
    const { scope, name } = this;
    this.surviveOr(() => scope.fail(requestFailure(error, name, attempts, this.keyed())), error, key, request);
  }

  private keyed(): { readonly key: Key | undefined } | undefined {
    return this.isKeyed ? { key: this.scope.key } : undefined;
  }

  private surviveOr(fail: () => void, error: unknown, key: MapKey, value: unknown): void {
    const { scope, behaviour } = this;
    const supervision = behaviour.supervise ?? 'restart';
    if (supervision === 'restart') fail();
    else if (supervision === 'reset') {
      this.forget(key);
    } else {
      const letter: DeadLetter = {
        actor: this.name,
        key: scope.key,
        value,
        timestamp: scope.timestamp,
        error: messageOf(error),
      };
      this.skipped++;
      this.emitSide(deadLetters.name, letter);
    }
  }

  private setAlarm(): void {
    if (!this.isFinished && !this.isResting) this.alarm.setFor(this.state.timers('processing').nextTime());
  }
}

/** Entries of each state that are looked at, once some can have expired, after a record and at a barrier: microseconds, and a ms. */
const sweptAtRecord = 4;
const sweptAtBarrier = 1_000;

type Handler = 'receive' | 'onTimer' | 'onAnswer' | 'onComplete';

/** Stands for "the state after this record" among what was emitted. */
const theState = Symbol('state');
