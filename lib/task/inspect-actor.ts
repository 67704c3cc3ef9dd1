import type { ActorStage } from '../actor/actor-stage.ts';
import type { StateKindName } from '../actor/state-kind.ts';
import type { ActorEntry } from '../checkpoint/manifest.ts';
import { SegmentWriter } from '../checkpoint/segment.ts';
import { TidemarkError } from '../errors.ts';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';
import { convertState, type RestoreServices, readActor, verifyStates, verifyVersion } from './restore.ts';

/** `same`: stored as the job declares it. `new`: nothing is stored of it. `dropped`: stored, but the job no longer has it. */
export type StateChange = 'same' | 'new' | 'dropped' | 'changed';

/** A state that an actor declares in `states`, or that is stored of it. */
export interface DeclaredStateReport {
  readonly name: string;
  readonly change: StateChange;
  readonly storedKind?: StateKindName;
  readonly kind?: StateKindName;
}

/** An actor of a job against what is stored of it. */
export interface ActorReport {
  readonly name: string;
  readonly change: StateChange;
  readonly storedVersion?: number;
  readonly version?: number;
  /** Keys that are stored with state of their own. */
  readonly keys: number;
  readonly hasCodec: boolean;
  readonly states: readonly DeclaredStateReport[];
  /** Entries that were migrated, where migrations were run. */
  readonly migrated?: number;
  /** What a start would be refused with; where migrations were run, also that what came out cannot be stored. */
  readonly problem?: TidemarkError;
}

/**
 * Restores an actor as a start does and tells how that went; with `runs`, the migrations and the codec of the user run, too.
 * Rejects when the store does not answer.
 */
export function inspectActor(
  stage: ActorStage,
  entry: ActorEntry,
  services: RestoreServices,
  runs: boolean,
): MaybePromise<ActorReport> {
  const { ref } = services;
  let migrated = 0;
  let states: readonly DeclaredStateReport[] = newStates(stage);
  const restored = (): MaybePromise<void> => {
    // Read in any case: what is stored is told also where its version is refused, which comes first at a start.
    let refusal: TidemarkError | undefined;
    attempt<unknown>(
      () => verifyVersion(stage, entry, ref),
      error => {
        refusal = error as TidemarkError;
      },
    );
    return andThen(readActor(stage, entry, services), () => {
      states = comparedStates(stage);
      if (refusal) throw refusal;
      verifyStates(stage, entry, services);
      if (!runs) return;
      convertState(stage, entry, ref, () => {
        migrated++;
      });
      if (entry.version !== stage.state.version) encodeAll(stage);
    });
  };
  const problem = attempt<TidemarkError | undefined>(
    () => andThen(restored(), () => undefined),
    error => {
      if (error instanceof TidemarkError && !(error.fault === 'external' && error.retriable)) return error;
      throw error;
    },
  );
  return andThen(problem, found => {
    const isChanged =
      entry.version !== stage.state.version ||
      states.some(({ change }) => change === 'dropped' || change === 'changed');
    return {
      name: stage.name,
      change: isChanged ? 'changed' : 'same',
      storedVersion: entry.version,
      version: stage.state.version,
      keys: entry.keys,
      hasCodec: stage.stored.codec !== undefined,
      states,
      ...(runs && { migrated }),
      ...(found && { problem: found }),
    };
  });
}

/** An actor of which nothing is stored. */
export function newActor(stage: ActorStage): ActorReport {
  const { name, state, stored } = stage;
  const hasCodec = stored.codec !== undefined;
  return { name, change: 'new', version: state.version, keys: 0, hasCodec, states: newStates(stage) };
}

/** An actor that the job no longer has. */
export function droppedActor(name: string, { version, keys }: ActorEntry): ActorReport {
  return { name, change: 'dropped', storedVersion: version, keys, hasCodec: false, states: [] };
}

function newStates(stage: ActorStage): readonly DeclaredStateReport[] {
  return stage.stored.declaredKinds.map(([name, kind]) => ({ name, change: 'new', kind }));
}

function comparedStates(stage: ActorStage): readonly DeclaredStateReport[] {
  const { entries } = stage.state;
  const declared = stage.stored.declaredKinds.map(([name, kind]): DeclaredStateReport => {
    const storedKind = entries.kindOf(name);
    if (storedKind === undefined) return { name, change: 'new', kind };
    return { name, change: storedKind === kind ? 'same' : 'changed', storedKind, kind };
  });
  const dropped = stage.stored.undeclaredStates().map((name): DeclaredStateReport => {
    const storedKind = entries.kindOf(name);
    return { name, change: 'dropped', ...(storedKind && { storedKind }) };
  });
  return [...declared, ...dropped];
}

const entriesAtOnce = 4_096;

/** As the next checkpoint would: a migration may have made what cannot be stored. */
function encodeAll({ state }: ActorStage): void {
  state.markAllChanged();
  const capture = state.capture();
  while (capture.encode(new SegmentWriter(), entriesAtOnce)) {}
}
