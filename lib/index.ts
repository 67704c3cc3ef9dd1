// What connectors are written against: errors, ports, and the checks of options.

// Lets streams be subscribed outside a job.
import './task/detached.ts';

export { actor } from './actor/actor.ts';
export { type AggregatingState, type Aggregation, aggregatingState } from './actor/aggregating-state.ts';
export {
  type ActorContext,
  type Behaviour,
  type DeadLetter,
  deadLetters,
  type StateCodec,
  type Supervision,
  type TimerKind,
  type Timers,
  type,
} from './actor/behaviour.ts';
export { type ListState, listState } from './actor/list-state.ts';
export { type MapState, mapState } from './actor/map-state.ts';
export type { MigrateFunction, Migration, MigrationStep, MigrationSteps } from './actor/migration.ts';
export type { Backoff, RequestContext, Requests } from './actor/requests/requests.ts';
export type { NoStateKinds, StateHandles, StateKind, StateKinds } from './actor/state-kind.ts';
export type { StateOptions, Ttl } from './actor/ttl.ts';
export { type ValueState, valueState } from './actor/value-state.ts';
export type {
  CommitPointContext,
  CommitPointResolver,
  CommitRecord,
  ExternalCommitPoint,
} from './checkpoint/commit-point.ts';
export { encodeName } from './checkpoint/encoded-name.ts';
export {
  type CommitPointIdentity,
  decodeManifest,
  type Json,
  type Manifest,
  segmentsOf,
  type TaskLayout,
} from './checkpoint/manifest.ts';
export {
  type SnapshotStore,
  type StoredManifest,
  type StoreNotice,
  type TaskNote,
  type TaskRef,
  type TaskStore,
  tokenOfSegment,
} from './checkpoint/snapshot-store.ts';
export { fileStore } from './checkpoint/store-file/index.ts';
export { memoryStore } from './checkpoint/store-memory.ts';
export * as storeRules from './checkpoint/store-rules.ts';
export { type Duration, parseDuration, toMs } from './duration.ts';
export {
  BadRecordError,
  CommitPointFencedError,
  CommitPointLostError,
  DetachedActorError,
  ExternalError,
  type Fault,
  FencedError,
  InternalError,
  JobDefinitionError,
  LiftError,
  MissingRepartitionError,
  messageOf,
  NotRunningError,
  OtherGroupError,
  PartitionCountChangedError,
  SavepointError,
  SettingsError,
  SourcePositionError,
  StateLostError,
  StateMismatchError,
  StoreRefusedError,
  StoreUnavailableError,
  TaskLayoutError,
  TidemarkError,
  type TidemarkErrorOptions,
  TimeoutError,
  UnsupportedStateError,
  UnsupportedVersionError,
  UserCodeError,
} from './errors.ts';
export type { EventTime, WatermarkStrategy } from './event-time/strategy.ts';
export { firstWhere } from './first-where.ts';
export { check } from './job/check.ts';
export { type CheckStateOptions, type ConnectorReport, checkState, type StateReport } from './job/check-state.ts';
export { didYouMean } from './job/did-you-mean.ts';
export type {
  CheckpointEvent,
  JobHandle,
  JobOutcome,
  JobPhase,
  JobStatus,
  SavepointOptions,
  Side,
} from './job/handle.ts';
export { isJob, type Job, type JobOptions, type JobStreams, job } from './job/job.ts';
export type { JobSettings } from './job/settings.ts';
export * as settingsFields from './job/settings-fields.ts';
export { settingsProblems } from './job/settings-problems.ts';
export { side } from './job/side.ts';
export { type StandardSchema, validated } from './job/standard-schema.ts';
export { start } from './job/start.ts';
export { all, andThen, attempt, eachInOrder, isPromise, type MaybePromise } from './maybe-promise.ts';
export { silentLogger } from './observe/create-logger.ts';
export type { Logger } from './observe/logger.ts';
export { ListenError } from './observe/status-server/listen-error.ts';
export { type ServeStatusOptions, serveStatus } from './observe/status-server/serve-status.ts';
export { type CreatedSavepoint, type CreateSavepointOptions, createSavepoint } from './savepoint/create.ts';
export { deleteSavepoint } from './savepoint/delete.ts';
export { type ActorDifference, type DiffOptions, diffSavepoints, type KeyDifference } from './savepoint/diff.ts';
export { exportSavepoint, readSavepointDirectory } from './savepoint/directory.ts';
export { type ImportSavepointOptions, importSavepoint } from './savepoint/import.ts';
export { readState, type SavedEntry } from './savepoint/read-state.ts';
export { findSavepoint, listSavepoints, type SavedTask, type Savepoint } from './savepoint/savepoint.ts';
export { openSavepoint } from './savepoint/start-from.ts';
export { type EntriesToSave, type SavepointToWrite, writeSavepoint } from './savepoint/write-state.ts';
export type { Channel, ChannelRequest, Packed } from './scale/channel.ts';
export type { TaskShare, TaskShareListener, TaskShareRequest, TaskSharing } from './scale/task-share.ts';
export { DataStream, isDataStream, type KeyingOp, type KeyOrNone, type Op } from './stream/data-stream.ts';
export {
  Barrier,
  type Key,
  type KeyAtom,
  type Mark,
  Rest,
  type StreamElement,
  StreamRecord,
  Watermark,
} from './stream/elements.ts';
export { endIn } from './stream/end.ts';
export { type FromOptions, from, withEventTime } from './stream/from.ts';
export { joinInputs } from './stream/join-inputs.ts';
export type { StreamNode } from './stream/node.ts';
export { rekey } from './stream/rekey.ts';
export { repartitioned } from './stream/repartition.ts';
export type { ActorReport, DeclaredStateReport, StateChange } from './task/inspect-actor.ts';
export { paced } from './task/paced.ts';
export type { CreditHolder, Sink, SinkContext, SinkWriter } from './task/sink.ts';
export type {
  PartitionMeasures,
  PartitionPhase,
  PartitionRun,
  SharingRequest,
  Source,
  SourceContext,
  SourceMeasures,
  SourceReader,
  SourceSpread,
  TaskSlice,
} from './task/source.ts';
export { wrapReader, wrapSource } from './task/source.ts';
export type { SourceTime } from './task/source-clock.ts';
export * as tokens from './tokens.ts';
