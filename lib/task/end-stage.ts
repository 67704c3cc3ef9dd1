import { Barrier, type Mark, Rest } from '../stream/elements.ts';
import type { Scope, Stage } from '../stream/stage.ts';

/** What the ends of a graph tell the task. */
export interface EndEvents {
  /** Barrier `id` has passed the whole branch. */
  arrived(id: number): void;
  completed(): void;
  /** The branch rests. */
  rested?(rest: string): void;
}

/** The end of a branch: drops values, and answers for barriers and completion. */
export class EndStage implements Stage<unknown> {
  private readonly scope: Scope;
  private readonly events: EndEvents;
  private isCompleted = false;

  constructor(scope: Scope, events: EndEvents) {
    this.scope = scope;
    this.events = events;
  }

  next(): void {}

  mark(mark: Mark): void {
    if (this.scope.hasFailed) return;
    if (mark instanceof Barrier) this.events.arrived(mark.id);
    else if (mark instanceof Rest) this.events.rested?.(mark.id);
  }

  error(error: unknown): void {
    this.scope.fail(error);
  }

  complete(): void {
    if (this.isCompleted || this.scope.hasFailed) return;
    this.isCompleted = true;
    this.events.completed();
  }
}
