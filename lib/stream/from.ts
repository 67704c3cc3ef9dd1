import type { Observable } from 'rxjs';
import { DetachedActorError, JobDefinitionError } from '../errors.ts';
import type { EventTime } from '../event-time/strategy.ts';
import { adaptSource, type Overflow } from '../task/plain-source.ts';
import { type Source, wrapSource } from '../task/source.ts';
import { building, DataStream, isDataStream, type KeyOrNone } from './data-stream.ts';
import { runningGroup } from './native-group.ts';
import { describe, type WirableNode } from './node.ts';

/** The node of a source, with what a task opens. */
export interface SourceNode extends WirableNode {
  readonly source: Source<unknown>;
}

export interface FromOptions {
  /** What happens to values that an Observable pushes while the job is paused; default 1,000 and `error`. */
  readonly buffer?: Overflow;
  /** Names the source in status and manifests; needed when a job has two of the same name. */
  readonly name?: string;
}

/**
 * A stream of what a source reads: a connector's source (replayed after a crash), an Observable (hot: what it pushed before
 * a crash is gone, so at-most-once) or an async iterable (paused instead of buffered).
 */
export function from<T>(
  source: Source<T> | Observable<T> | AsyncIterable<T>,
  options: FromOptions = {},
): DataStream<T> {
  if (isDataStream(source)) {
    throw new JobDefinitionError(`from() was given a stream (${describe(source.node)}): use it as it is.`);
  }
  return sourceStream(adaptSource(source, options));
}

function sourceStream<T>(source: Source<T>): DataStream<T> {
  const node: SourceNode = {
    kind: 'source',
    name: source.name,
    inputs: [],
    isKeyed: false,
    sides: [],
    source: source as Source<unknown>,
    wire(wiring, out, id) {
      wiring.surroundings.source(node, out, id);
    },
  };
  return new DataStream<T>(node);
}

/** The stream of the same source with event times and watermarks as `eventTime` says. Throws `JobDefinitionError` elsewhere than directly behind a source. */
export function withEventTime<T>(input: Observable<T>, eventTime: EventTime<T>, operator: string): DataStream<T> {
  const { node } = streamOf(input, operator);
  const source = node.kind === 'source' ? ((node as SourceNode).source as Source<T>) : undefined;
  if (!source || source.eventTime) {
    throw new JobDefinitionError(
      `${operator} stands behind ${source ? `another ${operator}` : describe(node)}, but must stand directly behind ` +
        'from(source): only there the partitions of the source are known. Its function "timestamp" takes the values as the ' +
        'source gives them.',
    );
  }
  return sourceStream(wrapSource(source, { eventTime }));
}

/**
 * `source` as a stream. A plain Observable becomes one outside a job, so that an operator can be tested in three lines;
 * inside a job it is a `DetachedActorError`, because nothing would checkpoint what follows.
 */
export function streamOf<T>(source: Observable<T>, operator: string): DataStream<T, KeyOrNone> {
  if (isDataStream(source)) return source as DataStream<T, KeyOrNone>;
  const group = runningGroup();
  if (group !== null) {
    throw group.refuse(
      new DetachedActorError(
        `${operator} is applied to a plain Observable inside a native operator (${group.label}): its state would not be ` +
          'checkpointed. Apply it to the stream itself.',
      ),
    );
  }
  if (building.job !== undefined) {
    throw new DetachedActorError(
      `${operator} in job "${building.job}" is applied to a plain Observable: its state would not be checkpointed. ` +
        'Start the chain with from(observable).',
    );
  }
  return from(source);
}
