import type { Json, Manifest, TaskLayout } from '../checkpoint/manifest.ts';
import type { SourceEntry } from '../checkpoint/participants.ts';
import type { TaskRef } from '../checkpoint/snapshot-store.ts';
import { SavepointError } from '../errors.ts';
import { channelPrefix } from '../scale/channel-state.ts';
import type { SourceSpread } from '../task/source.ts';
import { channelBegun } from './same-shape.ts';

export interface SpreadTarget {
  readonly ref: TaskRef;
  /** Left out: the job is one task from now on. */
  readonly layout: TaskLayout | undefined;
  /** The spreads of the sources of the job, by name. */
  readonly spreads: ReadonlyMap<string, SourceSpread | undefined>;
  /** The names of its channels. */
  readonly channels?: ReadonlySet<string>;
}

/**
 * What one task of a new spread begins with, of all manifests of a savepoint: positions, watermarks and ends; actors are filled later.
 * Pure. Throws a `SavepointError` where the parts of the savepoint do not go together.
 */
export function spreadManifest(
  manifests: readonly Manifest[],
  { ref, layout, spreads, channels = new Set() }: SpreadTarget,
): Manifest {
  const [first] = manifests as readonly [Manifest, ...Manifest[]];
  const refuse = (what: string) =>
    new SavepointError(
      `The state of job "${first.job}" cannot be spread over ${layout ? `${layout.count} tasks` : 'one task'}: ${what}`,
      { context: { ...ref } },
    );
  const ends = ({ finished, jobFinished, sources }: Manifest) =>
    JSON.stringify([
      jobFinished,
      [...finished].sort(),
      Object.entries(sources)
        .filter(([, { finished }]) => finished)
        .map(([name]) => name)
        .sort(),
    ]);
  const ahead = manifests.find(manifest => ends(manifest) !== ends(first));
  if (ahead) {
    throw refuse(
      `parts of it have ended in one of the tasks ${first.task} and ${ahead.task}, and not in the other. Let the job run to its end as it was.`,
    );
  }
  const slice = layout ?? { index: 0, count: 1 };
  const isOfChannel = (name: string) => name.startsWith(channelPrefix);
  // What the channels held, the tasks have taken in; those of the new tasks begin empty.
  const names = [...new Set(manifests.flatMap(({ sources }) => Object.keys(sources)))].filter(
    name => !isOfChannel(name) || channels.has(name.slice(channelPrefix.length)),
  );
  const sources = names.map((name): [string, SourceEntry] => {
    const entries = manifests.map(({ task, sources: of }) => {
      const entry = of[name];
      if (!entry) throw refuse(`task ${task} has no position of the source "${name}".`);
      return entry;
    });
    if (isOfChannel(name)) {
      const finished = entries.every(entry => entry.finished);
      return [name, channelBegun({ position: null, finished, watermark: lowest(entries.map(of => of.watermark)) })];
    }
    const respread = spreads.get(name)?.respread;
    if (spreads.has(name) && !respread)
      throw refuse(`the positions of the source "${name}" cannot be given to other tasks.`);
    const clocks = joinedClocks(entries);
    return [
      name,
      {
        position: respread
          ? respread(
              entries.map(({ position }) => position),
              name,
            ).of(slice)
          : null,
        finished: entries.every(({ finished }) => finished),
        watermark: lowest(entries.map(({ watermark }) => watermark)),
        ...(clocks === undefined ? {} : { clocks }),
      },
    ];
  });
  const { format, createdAt, finished, jobFinished } = first;
  return {
    format,
    ...ref,
    id: Math.max(...manifests.map(({ id }) => id)),
    token: Math.max(...manifests.map(({ token }) => token)),
    kind: 'savepoint',
    createdAt,
    sources: Object.fromEntries(sources),
    actors: {},
    sinks: {},
    finished,
    jobFinished,
    closed: true,
    ...(layout && { tasks: layout }),
  };
}

/** One that has said nothing yet holds all back. */
const lowest = (watermarks: readonly (number | null)[]): number | null =>
  watermarks.reduce((least, one) => (least === null || one === null ? null : Math.min(least, one)));

/** What the partitions of all tasks have said of event time; a partition is that of one task alone. */
function joinedClocks(entries: readonly SourceEntry[]): Json | undefined {
  const all = entries.flatMap(({ clocks }) =>
    clocks === undefined
      ? []
      : [clocks as { readonly by: string; readonly partitions: Readonly<Record<string, Json>> }],
  );
  const [first] = all;
  if (!first || all.some(({ by }) => by !== first.by)) return undefined;
  return { by: first.by, partitions: Object.fromEntries(all.flatMap(({ partitions }) => Object.entries(partitions))) };
}
