import type { Manifest } from '../checkpoint/manifest.ts';
import type { TaskRef } from '../checkpoint/snapshot-store.ts';
import { StateMismatchError } from '../errors.ts';

/** Names in a job's graph. */
export interface GraphNames {
  readonly actors: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
  readonly sinks: ReadonlySet<string>;
}

/** What of a checkpoint nothing in the job takes up, so that it would be lost without a word. */
export function notTaken(manifest: Manifest, { actors, sources, sinks }: GraphNames): readonly string[] {
  return [
    ...Object.keys(manifest.actors)
      .filter(name => !actors.has(name))
      .map(name => `the state of the actor "${name}"`),
    ...Object.keys(manifest.sources)
      .filter(name => !sources.has(name))
      .map(name => `the position of the source "${name}"`),
    ...Object.entries(manifest.sinks)
      .filter(([name, handle]) => handle !== null && !sinks.has(name))
      .map(([name]) => `what the sink "${name}" may not have made visible yet`),
  ];
}

/** The refusal to start without it. */
export function notTakenError({ job }: TaskRef, { id }: Manifest, dropped: readonly string[]): StateMismatchError {
  return new StateMismatchError(
    `Checkpoint ${id} of job "${job}" holds ${dropped.join(' and ')}, which the job no longer has. ` +
      'Give it its old name back, set allowDroppedState to drop it, or start fresh.',
    { context: { job, checkpointId: id } },
  );
}
