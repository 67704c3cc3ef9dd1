// What connectors are written against: errors, ports, and the checks of options.
export {
  BadRecordError,
  ExternalError,
  type Fault,
  FencedError,
  InternalError,
  messageOf,
  SettingsError,
  SourcePositionError,
  StateLostError,
  StoreRefusedError,
  StoreUnavailableError,
  TidemarkError,
  type TidemarkErrorOptions,
  UserCodeError,
} from './errors.ts';
export { encodeName } from './checkpoint/encoded-name.ts';
export { decodeManifest, type Json, type Manifest, segmentsOf } from './checkpoint/manifest.ts';
export type {
  SnapshotStore,
  StoredManifest,
  StoreNotice,
  TaskRef,
  TaskStore,
} from './checkpoint/snapshot-store.ts';
export { fileStore } from './checkpoint/store-file/index.ts';
export { memoryStore } from './checkpoint/store-memory.ts';
export * as storeRules from './checkpoint/store-rules.ts';
export { type Duration, parseDuration, toMs } from './duration.ts';
export * as settingsFields from './job/settings-fields.ts';
export { settingsProblems } from './job/settings-problems.ts';
export { all, andThen, attempt, eachInOrder, isPromise, type MaybePromise } from './maybe-promise.ts';
export type { Logger } from './observe/logger.ts';
export type { Key } from './stream/elements.ts';
export type { CreditHolder, Sink, SinkContext, SinkWriter } from './task/sink.ts';
export type { Source, SourceContext, SourceReader } from './task/source.ts';
