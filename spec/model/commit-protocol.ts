import type { Step } from './explore.ts';

// The commit protocol of a task as a model: one source, one output a record, one actor whose state is how many it has seen,
// one snapshot store with a fence, one transactional id. Incarnations start at any moment while earlier ones live on, crash,
// give checkpoints up and lose answers. An incarnation has an exactly-once Kafka sink (K: the transaction decides) or has it
// not (S: the store decides, and its records give no output).

export type Mutation =
  /** The record is read before the transactional id is initialised. */
  | 'readfirst'
  /** A lost answer is taken for a commit. */
  | 'guess'
  /** Recovery takes the newest manifest instead of the one that the record names. */
  | 'newest'
  /** Output behind the barrier goes into the transaction that is about to commit. */
  | 'nohold'
  /** EndTxn before the manifest is written. */
  | 'commitfirst'
  /** The store accepts manifests and commits under a stale token. */
  | 'nostorefence'
  /** The manifest is deleted while EndTxn may still be under way. */
  | 'deleteontimeout'
  /** A transaction that the broker has ended is begun again where the task stands, without going back to the record. */
  | 'goon'
  /** Recovery trusts what the store has confirmed, although the record names a later manifest. */
  | 'confirmedonly'
  /** The first exactly-once sink writes before the new commit point has decided its first checkpoint. */
  | 'notakeover'
  /** Whoever has lost the exactly-once sink takes the newest confirmed manifest, whatever was prepared behind it. */
  | 'noresolve'
  /** An older record of Kafka is taken for the truth although the store has decided later ones. */
  | 'oldrecord';

export interface Bounds {
  readonly records: number;
  /** Of each incarnation in turn: whether Kafka or the store decides. */
  readonly modes: readonly ('K' | 'S')[];
  readonly abandons: number;
  readonly crashes: number;
  readonly timeouts: number;
  readonly maxId: number;
  readonly maxToken: number;
}

/** What a checkpoint says: position, state, and the outputs that readers must then see. */
type Content = readonly [position: number, state: number, outputs: readonly number[]];
type Phase = 'new' | 'tok' | 'init' | 'found' | 'run' | 'capt' | 'prep' | 'sent' | 'dead';

interface Manifest {
  readonly id: number;
  readonly token: number;
  readonly by: 'K' | 'S';
  readonly content: Content;
  readonly confirmed: boolean;
}

interface Process {
  readonly phase: Phase;
  readonly token: number;
  readonly epoch: number;
  readonly at: Content;
  /** Outputs since the barrier. */
  readonly held: readonly number[];
  readonly captured: Content | null;
  readonly nextId: number;
  /** Nothing may enter before a first checkpoint of this commit point. */
  readonly takesOver: boolean;
  readonly named: readonly [number, number] | null;
}

interface Network {
  readonly epoch: number;
  readonly id: number;
  readonly token: number;
}

export interface World {
  readonly fence: number;
  readonly manifests: readonly Manifest[];
  readonly epoch: number;
  readonly open: readonly number[];
  readonly visible: readonly number[];
  readonly record: readonly [number, number];
  /** What was decided last, wherever: known to nobody in the world, only to the check. */
  readonly decided: readonly [number, Content];
  readonly processes: readonly (Process | null)[];
  readonly net: readonly Network[];
  readonly abandons: number;
  readonly crashes: number;
  readonly timeouts: number;
}

const nothing: Content = [0, 0, []];
const unborn: Process = {
  phase: 'new',
  token: 0,
  epoch: 0,
  at: nothing,
  held: [],
  captured: null,
  nextId: 0,
  takesOver: false,
  named: null,
};

export function initial({ modes }: Bounds): World {
  return {
    fence: 0,
    manifests: [],
    epoch: 0,
    open: [],
    visible: [],
    record: [0, 0],
    decided: [0, nothing],
    processes: modes.map((_, i) => (i === 0 ? unborn : null)),
    net: [],
    abandons: 0,
    crashes: 0,
    timeouts: 0,
  };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const newestConfirmed = ({ manifests }: World): Manifest | undefined =>
  manifests.filter(({ confirmed }) => confirmed).sort((a, b) => b.id - a.id)[0];
const manifest = ({ manifests }: World, [id, token]: readonly [number, number]): Manifest | undefined =>
  manifests.find(each => each.id === id && each.token === token);

/** Every step that anything in the world may take next. */
export function* steps(world: World, bounds: Bounds, mutation?: Mutation): Generator<Step<World>> {
  for (const [i, process] of world.processes.entries()) {
    if (!process) {
      if (world.processes.slice(0, i).every(other => other)) yield [`start${i}`, become(world, i, unborn)];
      continue;
    }
    if (process.phase === 'dead') continue;
    if (world.crashes < bounds.crashes) {
      yield [`crash${i}`, { ...become(world, i, dead), crashes: world.crashes + 1 }];
    }
    const mode = bounds.modes[i] as 'K' | 'S';
    if (['new', 'tok', 'init', 'found'].includes(process.phase)) {
      for (const [name, next] of recovering(world, i, process, mode, bounds, mutation)) yield [`${name}${i}`, next];
    } else {
      for (const [name, next] of running(world, i, process, mode, bounds, mutation)) yield [`${name}${i}`, next];
    }
  }
  yield* outside(world, bounds);
}

const dead: Process = { ...unborn, phase: 'dead' };

function become(world: World, i: number, process: Process): World {
  return { ...world, processes: world.processes.map((each, k) => (k === i ? process : each)) };
}

/** Unknown outcome, or fenced off: the store's fence says which. */
const restarted = (world: World, i: number, process: Process): World =>
  become(world, i, world.fence === process.token ? unborn : dead);

function* recovering(
  world: World,
  i: number,
  process: Process,
  mode: 'K' | 'S',
  { maxToken }: Bounds,
  mutation?: Mutation,
): Generator<Step<World>> {
  const { token } = process;
  if (process.phase === 'new') {
    const next = Math.max(world.fence, world.record[1]) + 1;
    if (next > maxToken) return;
    const named = mutation === 'readfirst' ? world.record : null;
    yield ['fence', become({ ...world, fence: next }, i, { ...unborn, phase: 'tok', token: next, named })];
    return;
  }
  if (process.phase === 'tok') {
    if (world.fence !== token) {
      yield ['stop', become(world, i, dead)];
      return;
    }
    const newest = newestConfirmed(world);
    const isPending = world.manifests.some(each => each.by === 'K' && each.id > (newest?.id ?? 0));
    const mayAsk = mode === 'K' || newest?.by === 'K';
    if (mode === 'S' && (newest?.by !== 'K' || !isPending || mutation === 'noresolve')) {
      yield [
        'own',
        become(world, i, { ...process, phase: 'found', named: newest ? [newest.id, newest.token] : [0, 0] }),
      ];
    }
    if (mayAsk) {
      const epoch = world.epoch + 1;
      yield ['init', become({ ...world, epoch, open: [] }, i, { ...process, phase: 'init', epoch })];
    }
    return;
  }
  if (process.phase === 'init') {
    const record = mutation === 'readfirst' && process.named ? process.named : world.record;
    if (record[1] >= token) {
      yield ['again', become(world, i, unborn)];
      return;
    }
    const newest = newestConfirmed(world);
    let named = record;
    if (newest && newest.id > record[0]) {
      // The store has decided since, or the record went back, which is refused.
      if (newest.by === 'K') {
        yield ['LOST', 'the record is older than the newest confirmed manifest'];
        return;
      }
      if (mutation !== 'oldrecord') named = [newest.id, newest.token];
    }
    if (mutation === 'newest') {
      const last = [...world.manifests].sort((a, b) => b.id - a.id)[0];
      if (last) named = [last.id, last.token];
    }
    if (mutation === 'confirmedonly' && newest) named = [newest.id, newest.token];
    const found = manifest(world, named);
    if (named[0] > 0 && !found) {
      yield ['LOST', `the record names ${named[0]}, which the store lacks`];
      return;
    }
    if (!found || found.confirmed || mutation === 'newest') {
      yield ['read', become(world, i, { ...process, phase: 'found', named })];
    } else if (world.fence === token) {
      // Prepared under an older token: confirmed under ours.
      const confirmed = world.manifests.map(each => (each === found ? { ...each, confirmed: true } : each));
      const manifests = confirmed.filter(({ id }) => id >= found.id);
      yield ['confirmOld', become({ ...world, manifests }, i, { ...process, phase: 'found', named })];
    } else yield ['stale', become(world, i, dead)];
    return;
  }
  const named = process.named as readonly [number, number];
  const found = manifest(world, named);
  if (named[0] > 0 && !found) {
    // Only a newer incarnation collects what this one has just seen.
    yield world.fence === token ? ['LOST', 'the manifest has gone'] : ['stale', become(world, i, dead)];
    return;
  }
  const at = found?.content ?? nothing;
  // Whoever still owns the fence must go on from what was decided last.
  if (world.fence === token && !same(at, world.decided[1])) {
    yield ['run', `restored ${JSON.stringify(at)} but ${JSON.stringify(world.decided)} was decided`];
    return;
  }
  const nextId = Math.max(world.record[0], ...world.manifests.map(({ id }) => id)) + 1;
  const takesOver = mode === 'K' && found?.by !== 'K' && mutation !== 'notakeover';
  yield ['run', become(world, i, { ...process, phase: 'run', at, nextId, takesOver, named: null })];
}

function* running(
  world: World,
  i: number,
  process: Process,
  mode: 'K' | 'S',
  bounds: Bounds,
  mutation?: Mutation,
): Generator<Step<World>> {
  const { phase, token, epoch, at, held, captured, nextId, takesOver } = process;
  const isK = mode === 'K';
  const isOurs = !isK || epoch === world.epoch;
  const go = (change: Partial<Process>, over: Partial<World> = {}): World =>
    become({ ...world, ...over }, i, { ...process, ...change });
  const fenced = (): Step<World> =>
    mutation === 'goon' && world.fence === token
      ? ['goon', go({ epoch: world.epoch + 1 }, { epoch: world.epoch + 1, open: [] })]
      : ['fenced', restarted(world, i, process)];

  if (at[0] < bounds.records && !takesOver) {
    const outputs = isK ? [...at[2], at[0]] : at[2];
    const next: Content = [at[0] + 1, at[1] + 1, outputs];
    if (!isK) yield ['record', go({ at: next })];
    else if (phase === 'run' || mutation === 'nohold') {
      if (isOurs) yield ['record', go({ at: next }, { open: [...world.open, at[0]] })];
      else yield fenced();
    } else yield ['record', go({ at: next, held: [...held, at[0]] })];
  }
  if (phase === 'run' && nextId <= bounds.maxId && (takesOver || !same(at, world.decided[1]))) {
    yield ['barrier', go({ phase: 'capt', captured: at })];
  }
  if (phase === 'capt') {
    if (mutation === 'commitfirst' && isK) {
      yield ['endtxn', go({ phase: 'sent' }, { net: [...world.net, { epoch, id: nextId, token }] })];
    }
    if (world.fence === token || mutation === 'nostorefence') {
      const written: Manifest = { id: nextId, token, by: mode, content: captured as Content, confirmed: false };
      const others = world.manifests.filter(each => each.id !== nextId || each.token !== token);
      yield ['prepare', go({ phase: 'prep' }, { manifests: [...others, written] })];
    } else yield ['stale', go(dead)];
  }
  if ((phase === 'capt' || phase === 'prep') && world.abandons < bounds.abandons) {
    const over = { open: isK ? [...world.open, ...held] : world.open, abandons: world.abandons + 1 };
    if (isOurs) yield ['abandon', go({ phase: 'run', held: [], captured: null, nextId: nextId + 1 }, over)];
    else yield fenced();
  }
  if (phase === 'prep') {
    if (isK) yield ['endtxn', go({ phase: 'sent' }, { net: [...world.net, { epoch, id: nextId, token }] })];
    else if (world.fence === token || mutation === 'nostorefence') {
      yield ['confirm', go({ ...ended, nextId: nextId + 1 }, decidedBy(world, nextId, token))];
    } else yield ['stale', go(dead)];
  }
  if (phase === 'sent') {
    if (same(world.record, [nextId, token])) {
      if (world.fence !== token) yield ['stale', go(dead)];
      else if (!isOurs) yield fenced();
      else {
        const manifests = confirmedIn(world, nextId, token);
        yield ['confirm', go({ ...ended, nextId: nextId + 1 }, { manifests, open: [...world.open, ...held] })];
      }
    }
    // The answer is lost, or an error: never guessed.
    if (mutation === 'guess') yield ['guess', go({ ...ended, nextId: nextId + 1 })];
    yield ['unknown', restarted(world, i, process)];
    if (mutation === 'deleteontimeout' && world.fence === token) {
      const manifests = world.manifests.filter(({ id }) => id !== nextId);
      yield ['drop', restarted({ ...world, manifests }, i, process)];
    }
  }
}

const ended: Partial<Process> = { phase: 'run', held: [], captured: null, takesOver: false };

function confirmedIn(world: World, id: number, token: number): readonly Manifest[] {
  return world.manifests
    .map(each => (each.id === id && each.token === token ? { ...each, confirmed: true } : each))
    .filter(each => each.id >= id);
}

function decidedBy(world: World, id: number, token: number): Partial<World> {
  const manifests = confirmedIn(world, id, token);
  const content = manifest(world, [id, token])?.content ?? nothing;
  return { manifests, decided: [id, content] };
}

/** What the network and the broker do by themselves. */
function* outside(world: World, bounds: Bounds): Generator<Step<World>> {
  for (const [k, { epoch, id, token }] of world.net.entries()) {
    const net = world.net.filter((_, other) => other !== k);
    yield ['lost', { ...world, net }];
    if (epoch !== world.epoch) continue;
    const content = manifest(world, [id, token])?.content;
    const visible = [...world.visible, ...world.open];
    // What decides late, for a commit point that the task has left meanwhile, changes nothing.
    const isLate = id <= world.decided[0];
    const decided: World['decided'] = isLate ? world.decided : [id, content ?? nothing];
    if (isLate || content) yield ['COMMIT', { ...world, net, open: [], visible, record: [id, token], decided }];
    else yield ['COMMIT', `I2: the record names ${id}, which the store lacks`];
  }
  if (world.timeouts < bounds.timeouts && world.open.length > 0) {
    // The broker ends a transaction that is too old and bumps its epoch.
    yield ['timeout', { ...world, epoch: world.epoch + 1, open: [], timeouts: world.timeouts + 1 }];
  }
}

/** What must hold in every world that can be reached. */
export function check(world: World, before: World): string | undefined {
  const [id, content] = world.decided;
  if (id < before.decided[0]) return `I3: ${before.decided[0]} was decided, now ${id} is`;
  if (!same(world.visible, content[2])) {
    return `I1: visible is ${JSON.stringify(world.visible)}, but ${JSON.stringify(content)} was decided`;
  }
  if (content[1] !== content[0]) return `I2: at position ${content[0]} the state is ${content[1]}`;
  return undefined;
}
