import { AggregatingHandle } from './aggregating-handle.ts';
import type { AggregatingKind } from './aggregating-state.ts';
import { ListHandle } from './list-handle.ts';
import { MapHandle } from './map-handle.ts';
import type { StagedState, StateEntries } from './state-entries.ts';
import type { StateKind } from './state-kind.ts';
import { ValueHandle } from './value-handle.ts';

/** What handlers are given for a state of this kind. */
export function handleOf(declared: StateKind<unknown>, entries: StateEntries): StagedState {
  switch (declared.kind) {
    case 'map':
      return new MapHandle(entries);
    case 'value':
      return new ValueHandle(entries);
    case 'list':
      return new ListHandle(entries);
    case 'aggregating':
      return new AggregatingHandle(entries, (declared as AggregatingKind).aggregate);
  }
}

/** Whether it is what one of the functions that declare states has answered. */
export function isStateKind(declared: unknown): boolean {
  const kind = (declared as StateKind<unknown> | undefined)?.kind;
  return kind === 'map' || kind === 'value' || kind === 'list' || kind === 'aggregating';
}
