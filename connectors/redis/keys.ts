import { encodeName, type TaskRef } from '../../lib/index.ts';

/** The names of a task's keys. All but the segments share one hash tag, so one script may touch them on a cluster. */
export interface TaskKeys {
  /** The newest fence token. */
  readonly fence: string;
  /** Hash: `<id>-<token>` → the text of the manifest. */
  readonly manifests: string;
  /** Hash: `<id>-<token>` → the names of its segments, one a line. */
  readonly names: string;
  /** Sorted set: the `<id>-<token>` that are committed, by id. */
  readonly confirmed: string;
  /** Hash: every segment that is or may be there → who registered it. */
  readonly written: string;
  /** Set: segments that dropped manifests named. */
  readonly released: string;
  /** Hash: the notes, by name. */
  readonly notes: string;
  /** The key of one segment, with a tag of its own: segments spread over a cluster. */
  segment(name: string): string;
}

export function taskKeys(prefix: string, { job, task }: TaskRef): TaskKeys {
  const tag = `${encodeName(job)}/${encodeName(task)}`;
  const key = (what: string) => `${prefix}:{${tag}}:${what}`;
  return {
    fence: key('fence'),
    manifests: key('manifests'),
    names: key('names'),
    confirmed: key('confirmed'),
    written: key('written'),
    released: key('released'),
    notes: key('notes'),
    segment: name => `${prefix}:{${tag}/${name}}:segment`,
  };
}

/** Set: the `[job, task]` of every task that ever took a fence, as JSON. */
export const tasksKey = (prefix: string): string => `${prefix}:tasks`;

/** A key to try out whether scripts may write. */
export const probeKey = (prefix: string): string => `${prefix}:{probe}:probe`;
