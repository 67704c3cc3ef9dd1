import type { TidemarkError } from '../errors.ts';
import type { MaybePromise } from '../maybe-promise.ts';

/** Who runs which tasks of a job: told by whatever coordinates its processes. */
export interface TaskShareListener {
  /** From now on these tasks run here too; each was given back by whoever had it, or that one is gone. */
  assigned(tasks: readonly number[], generation: number): void;
  /** These are wanted elsewhere: end them with a last checkpoint. They are given away once this resolves, or after `withinMs`. */
  revoked(tasks: readonly number[], withinMs: number): MaybePromise<void>;
  /** Not a member any more, for now or for good: others may have the tasks already. Those that run here must end; no other member waits for it. */
  lost(loss: {
    readonly why: string;
    readonly isFinal: boolean;
    readonly error: TidemarkError | undefined;
  }): MaybePromise<void>;
}

/** A membership that stays until it is closed. */
export interface TaskShare {
  /** These do not run here, although they are assigned: another process has them. They come back with a later generation, if at all. */
  giveBack?(tasks: readonly number[]): void;
  /**
   * Gives everything back (`revoked` is called for what is held), leaves, and resolves when nothing of it is open any more. `isForGood`:
   * the job has ended, so that no place is kept for a process that would come back.
   */
  close(options?: { readonly isForGood?: boolean }): Promise<void>;
}

/** What a process wants to share with the others of its group. */
export interface TaskShareRequest {
  readonly tasks: number;
  /** What tells the state of the tasks from what the job had before (`TaskLayout.spread`): members that differ in it share nothing. */
  readonly spread?: string;
  readonly listener: TaskShareListener;
}

/** How the processes of one job find out who runs what. */
export interface TaskSharing {
  /** How many tasks there are: least common shape of the topics, at most `maxTasks`; and the partition count of each topic. */
  shape(maxTasks: number): Promise<{ readonly tasks: number; readonly partitions: Readonly<Record<string, number>> }>;
  join(request: TaskShareRequest): TaskShare;
}
