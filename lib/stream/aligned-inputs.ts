import { Alignment, type AlignmentMode, type AlignmentStep } from './alignment.ts';
import { Barrier, type Key, type Mark, Rest, Watermark } from './elements.ts';
import { HeldElements } from './held-elements.ts';
import { RestAlignment } from './rest-alignment.ts';
import type { Scope, Stage } from './stage.ts';

/** What comes out of several inputs, aligned; `next` says which input a value came from. */
export interface JoinedStage {
  next(input: number, value: unknown): void;
  mark(mark: Mark): void;
  error(error: unknown): void;
  /** Every input has completed. */
  complete(): void;
}

/** Stands for the end of an input that came while the input was held back. */
const end = Symbol('end');

interface Held {
  readonly value: unknown;
  readonly timestamp: number;
  readonly key: Key | undefined;
}

/** The stages of several inputs: holds back what overtakes a barrier, and passes the lowest watermark of the open inputs. */
export class AlignedInputs {
  private readonly scope: Scope;
  private readonly out: JoinedStage;
  private readonly alignment: Alignment;
  private readonly rests: RestAlignment;
  private readonly held: HeldElements<Held | Watermark | Rest | typeof end>;
  private readonly watermarks: number[];
  /** Has told its end. */
  private readonly hasEnded: boolean[];
  /** May still pass something on: its end was not told, or waits behind what is held back. */
  private readonly isOpen: boolean[];
  /** Expects nothing for now. */
  private readonly isIdle: boolean[];
  private watermark = Number.NEGATIVE_INFINITY;
  private areIdle = false;

  constructor(scope: Scope, inputs: number, mode: AlignmentMode, out: JoinedStage) {
    this.scope = scope;
    this.out = out;
    this.alignment = new Alignment(inputs, mode);
    this.rests = new RestAlignment(inputs);
    this.held = new HeldElements(inputs);
    this.watermarks = new Array<number>(inputs).fill(Number.NEGATIVE_INFINITY);
    this.isIdle = new Array<boolean>(inputs).fill(false);
    this.hasEnded = new Array<boolean>(inputs).fill(false);
    this.isOpen = new Array<boolean>(inputs).fill(true);
  }

  /** The stage that takes what one input emits. */
  input(index: number): Stage<unknown> {
    return {
      next: value => {
        if (this.scope.hasFailed) return;
        if (this.alignment.element(index) === 'pass') this.out.next(index, value);
        else this.held.hold(index, { value, timestamp: this.scope.timestamp, key: this.scope.key });
      },
      mark: mark => {
        if (this.scope.hasFailed) return;
        if (mark instanceof Barrier) this.carryOut(this.alignment.barrier(index, mark.id));
        else if (this.alignment.element(index) === 'pass') this.pass(index, mark);
        else this.held.hold(index, mark);
      },
      error: error => this.out.error(error),
      complete: () => {
        if (this.scope.hasFailed || this.hasEnded[index]) return;
        this.hasEnded[index] = true;
        // Barriers no longer wait for it, but its watermark holds until what is held back of it has passed.
        this.carryOut(this.alignment.close(index));
        if (this.alignment.element(index) === 'hold') this.held.hold(index, end);
        else this.close(index);
      },
    };
  }

  private carryOut(steps: readonly AlignmentStep[]): void {
    for (const step of steps) {
      if (this.scope.hasFailed) return;
      if ('emit' in step) this.out.mark(new Barrier(step.emit));
      else this.release(step.release);
    }
  }

  private release(input: number): void {
    const { scope } = this;
    const { timestamp, key } = scope;
    for (const element of this.held.take(input)) {
      if (scope.hasFailed) return;
      if (element === end) this.close(input);
      else if (element instanceof Watermark || element instanceof Rest) this.pass(input, element);
      else {
        scope.timestamp = element.timestamp;
        scope.key = element.key;
        this.out.next(input, element.value);
      }
    }
    scope.timestamp = timestamp;
    scope.key = key;
  }

  private pass(input: number, mark: Watermark | Rest): void {
    if (mark instanceof Rest) this.passRest(this.rests.came(input, mark));
    else this.advance(input, mark);
  }

  private passRest(rest: Rest | undefined): void {
    if (rest && !this.scope.hasFailed) this.out.mark(rest);
  }

  private advance(input: number, watermark: Watermark): void {
    this.watermarks[input] = Math.max(this.watermarks[input] as number, watermark.timestamp);
    this.isIdle[input] = watermark.isIdle === true;
    this.passLowestWatermark();
  }

  /** An idle input counts only where all are, and then the one that is furthest. */
  private passLowestWatermark(): void {
    let lowest = Number.POSITIVE_INFINITY;
    let isAnyOpen = false;
    let areIdle = true;
    for (const [input, timestamp] of this.watermarks.entries()) {
      if (!this.isOpen[input]) continue;
      isAnyOpen = true;
      if (this.isIdle[input]) continue;
      areIdle = false;
      lowest = Math.min(lowest, timestamp);
    }
    if (!isAnyOpen) lowest = Math.max(...this.watermarks);
    else if (areIdle) lowest = Math.max(...this.watermarks.filter((_, input) => this.isOpen[input]));
    areIdle &&= isAnyOpen;
    if ((lowest <= this.watermark && areIdle === this.areIdle) || this.scope.hasFailed) return;
    this.watermark = Math.max(this.watermark, lowest);
    this.areIdle = areIdle;
    this.out.mark(new Watermark(this.watermark, areIdle));
  }

  private close(input: number): void {
    this.isOpen[input] = false;
    this.passLowestWatermark();
    if (this.scope.hasFailed) return;
    if (!this.isOpen.some(isOpen => isOpen)) this.out.complete();
    this.passRest(this.rests.closed(input));
  }
}
