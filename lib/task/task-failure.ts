import type { Manifest } from '../checkpoint/manifest.ts';
import type { TaskRef } from '../checkpoint/snapshot-store.ts';
import { type ErrorContext, LiftError, messageOf, TidemarkError, UserCodeError } from '../errors.ts';

/** The error that a task ends with, of whatever was thrown in it; `oldest`: the oldest checkpoint that is retained. */
export function taskFailure(
  error: unknown,
  context: ErrorContext,
  { job, task }: TaskRef,
  oldest: Manifest | undefined,
): TidemarkError {
  if (error instanceof TidemarkError) return withOldest(error, oldest);
  return new UserCodeError(`${throwerIn(context)} of job "${job}" threw: ${messageOf(error)}`, {
    cause: error,
    context: { ...context, job, task },
  });
}

function throwerIn({ native, operator, sink, source }: ErrorContext): unknown {
  if (native) return native;
  if (operator) return `"${operator}"`;
  if (sink) return `The sink "${sink}"`;
  return source ? `The source "${source}"` : 'An operator';
}

/** What the operator held since it began is in no checkpoint: the older one is, the less it lacks. */
function withOldest(error: TidemarkError, oldest: Manifest | undefined): TidemarkError {
  if (!(error instanceof LiftError) || !oldest) return error;
  return new LiftError(
    `${error.message} Checkpoints may lack what it held; the oldest that is retained is ${oldest.id}, of ` +
      `${new Date(oldest.createdAt).toISOString()}.`,
    { cause: error.cause, context: { ...error.context, oldestCheckpointId: oldest.id } },
  );
}
