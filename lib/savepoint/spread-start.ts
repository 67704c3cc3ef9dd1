import type { Recovered } from '../checkpoint/commit-point.ts';
import type { Json, Manifest, TaskLayout } from '../checkpoint/manifest.ts';
import { highestId } from '../checkpoint/recovery-decision.ts';
import { appliedNote } from '../checkpoint/savepoint-notes.ts';
import type { SnapshotStore, TaskRef } from '../checkpoint/snapshot-store.ts';
import { SavepointError } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import { channelPrefix } from '../scale/channel-state.ts';
import { channelsOf } from '../scale/channels.ts';
import { currentTasks, type StoredTask, storedTasks } from '../scale/current-tasks.ts';
import { keyOwner } from '../scale/key-owner.ts';
import type { SourceNode } from '../stream/from.ts';
import { hasKeyedState, type WirableNode } from '../stream/node.ts';
import { copySegments } from './copy-segments.ts';
import { chosenOrigin, type Rewind, verifyNotPassed } from './rewind.ts';
import { sameManifest } from './same-shape.ts';
import { originOfAll, type SavedTasks } from './saved-tasks.ts';
import { spreadActors } from './spread-actors.ts';
import { spreadManifest } from './spread-manifest.ts';
import { decideStart, isSameSpread, type SavepointStart } from './start-from.ts';

export interface SpreadStartContext {
  readonly store: SnapshotStore;
  readonly ref: TaskRef;
  readonly layout: TaskLayout | undefined;
  readonly nodes: readonly WirableNode[];
  readonly allowsDropped: boolean;
  /** Whether keys may have moved with partitions that were added, although not all of the old ones was read. */
  readonly acceptsMovedKeys: boolean;
  readonly logger: Logger;
}

/**
 * What a task goes on from whose job starts from a savepoint of another number of tasks, or of other partitions: its share of the
 * state, in its own store, to be committed as a checkpoint above all that the job has before the first element.
 */
export async function spreadFrom(
  start: SavepointStart & { readonly spread: SavedTasks },
  found: Recovered,
  context: SpreadStartContext,
): Promise<Recovered> {
  const { store, ref, layout, nodes, allowsDropped } = context;
  const { spread, savepoint, rewind } = start;
  const stored = await storedTasks(store, ref.job);
  const current = currentTasks(stored);
  const plain = originOfAll(spread);
  // One of several was told by whoever placed them, so that all begin from the same.
  const origin = layout
    ? start.origin
    : chosenOrigin(ref, current, { savepoint, origin: plain, rewind, target: 'one' });
  const isRewound = origin.checksum !== plain.checksum;
  if (layout && !isRewound) verifyNotPassed(ref, current, { savepoint, origin, target: 'several' });
  if (decideStart(ref, found.committed, { ...start, origin }) === 'resume') return found;
  if (layout && isRewound && rewind) verifyOwnNamed(ref, found.committed, rewind, layout.index);
  const manifests = spread.tasks.map(({ manifest }) => manifest);
  const isSame = origin.job === ref.job;
  if (isSame) {
    await endOthers(context, stored);
    await verifyApplied(store, stored, manifests);
  }
  const spreads = new Map(
    nodes.filter(({ kind }) => kind === 'source').map(node => [node.name ?? '', (node as SourceNode).source.spread]),
  );
  const channels = channelsOf(ref.job, layout, nodes);
  const isSameShape = isSameSpread(spread.layout, layout, hasKeyedState(nodes));
  const own = isSameShape && layout ? spread.tasks[layout.index] : undefined;
  const manifest =
    own && layout
      ? sameManifest(own, ref, layout)
      : spreadManifest(manifests, { ref, layout, spreads, channels: new Set(channels.keys()) });
  await verifyMoved(start, context);
  const lastId = Math.max(found.lastId, ...stored.map(({ manifests }) => highestId(manifests)), manifest.id);
  const copies = own && (await copySegments(own, store.task(ref), { token: found.token, id: lastId + 1 }));
  if (copies) return { ...found, lastId, committed: { ...manifest, actors: copies }, origin, takesOver: true };
  const byName = new Map(nodes.filter(({ kind }) => kind === 'actor').map(node => [node.name ?? '', node]));
  const actors = await spreadActors(spread.tasks, {
    index: layout?.index ?? 0,
    store: store.task(ref),
    token: found.token,
    id: lastId + 1,
    ownerOf: actor => {
      const node = byName.get(actor);
      return node && { owner: keyOwner(node, layout, channels) };
    },
    allowsDropped,
  });
  return { ...found, lastId, committed: { ...manifest, actors }, origin, takesOver: true };
}

/** A task that goes back gives up no more than was named: another process may have gone on with it since. */
function verifyOwnNamed({ job, task }: TaskRef, newest: Manifest | undefined, rewind: Rewind, index: number): void {
  const named = rewind[index] ?? Math.max(...rewind);
  if (!newest || newest.id <= named) return;
  throw new SavepointError(
    `Task ${task} of job "${job}" has gone on to checkpoint ${newest.id} since checkpoint ${named} was named as its newest: another process ran it. ` +
      'End the processes that run the job as it was, and start again without --rewind to see what there is to give up now.',
    { context: { job, task, checkpointId: newest.id } },
  );
}

/** Whoever still runs a task that the job has no more is refused from now on. */
async function endOthers({ store, ref, layout }: SpreadStartContext, stored: readonly StoredTask[]): Promise<void> {
  const isOne = (task: string) => (layout ? /^\d+$/.test(task) && Number(task) < layout.count : task === ref.task);
  for (const { task } of stored) if (!isOne(task)) await store.task({ job: ref.job, task }).acquireFence(0);
}

/** What a savepoint has to make visible in the places of its sinks, only the tasks that it is of can. */
async function verifyApplied(
  store: SnapshotStore,
  stored: readonly StoredTask[],
  manifests: readonly Manifest[],
): Promise<void> {
  for (const manifest of manifests) {
    // What a channel held, its readers have taken in.
    const isOpen = ([name, handle]: readonly [string, Json]) => handle !== null && !name.startsWith(channelPrefix);
    const sink = Object.entries(manifest.sinks).find(isOpen)?.[0];
    if (sink === undefined) continue;
    const isHere = stored.some(({ task }) => task === manifest.task);
    const notes = isHere ? await store.task(manifest).notes() : [];
    if (notes.some(({ name }) => name === appliedNote(manifest))) continue;
    throw new SavepointError(
      `The savepoint of task ${manifest.task} of job "${manifest.job}" may hold output of the sink "${sink}" that is not visible yet, and other ` +
        'tasks cannot make it so. Start the job once as it was, in its store, stop it with a savepoint, and start from that.',
      { context: { job: manifest.job, task: manifest.task, sink } },
    );
  }
}

/**
 * Where partitions were added, keys have moved to other partitions, and what was written before lies in the old ones: unless all of it
 * was read, a task would get records of a key whose state another one has.
 */
async function verifyMoved(
  { spread }: { readonly spread: SavedTasks },
  { layout, nodes, acceptsMovedKeys, logger, ref }: SpreadStartContext,
): Promise<void> {
  if (!layout || layout.count === 1 || !hasKeyedState(nodes)) return;
  for (const node of nodes) {
    if (node.kind !== 'source') continue;
    const { spread: way, name } = (node as SourceNode).source;
    // A position may be an array: not flattened.
    const positions = spread.tasks.flatMap(({ manifest: { sources } }) =>
      sources[name] ? [sources[name].position] : [],
    );
    if (!way?.respread || positions.length === 0) continue;
    const before = way.respread(positions, name);
    const grown = Object.entries(spread.layout?.partitions ?? before.partitions).find(
      ([topic, count]) => (way.topics?.includes(topic) ?? true) && (layout.partitions[topic] ?? count) !== count,
    );
    if (!grown) continue;
    const backlog = await before.backlog();
    if (backlog.length === 0) continue;
    const [topic, count] = grown;
    const all = backlog.reduce((sum, { records }) => sum + records, 0);
    const shown = backlog
      .slice(0, 5)
      .map(({ partition, records }) => `${partition}: ${records}`)
      .join(', ');
    const what =
      `The topic ${topic} has ${layout.partitions[topic]} partitions and had ${count} when the savepoint was taken, and ${all} records lie behind ` +
      `its positions in the old ones (${shown}${backlog.length > 5 ? ', …' : ''})`;
    if (acceptsMovedKeys) {
      logger.warn({ job: ref.job, source: name, backlog: all }, `accepted by choice: ${what}`);
      continue;
    }
    throw new SavepointError(
      `${what}: where one of them was written before the partitions were added, its key may have moved to another task since. Run the job ` +
        'as one task (tasks: "single") from the savepoint until it has read them, and take another; or, when you know that all of them were ' +
        'written after, say so (--accept-moved-keys, recovery.acceptMovedKeys): a record of a key that has moved fails the job then.',
      { context: { ...ref, source: name } },
    );
  }
}
