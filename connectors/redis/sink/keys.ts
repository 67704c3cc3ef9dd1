import { encodeName } from '../../../lib/index.ts';

/** Whose sink it is. */
export interface SinkRef {
  readonly job: string;
  readonly task: string;
  readonly name: string;
}

/** The names of a sink's own keys; all of them, and those that it writes, share one hash tag where there is a cluster. */
export interface SinkKeys {
  /** Hash: fence token, who holds it, the newest applied checkpoint. */
  readonly state: string;
  /** Set: the names of all parts that are staged. */
  readonly parts: string;
  /** What the keys of parts begin with; hashes of numbered pieces. */
  readonly part: string;
}

export function sinkKeys(prefix: string, { job, task, name }: SinkRef, hashTag: string | undefined): SinkKeys {
  const whose = [job, task, name].map(encodeName).join('/');
  const base = `${prefix}:{${hashTag ?? whose}}:sink:${whose}`;
  return { state: `${base}:state`, parts: `${base}:parts`, part: `${base}:part:` };
}
