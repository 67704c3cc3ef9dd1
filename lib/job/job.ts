import { JobDefinitionError } from '../errors.ts';
import { isPromise } from '../maybe-promise.ts';
import { building, type DataStream, isDataStream, type KeyOrNone } from '../stream/data-stream.ts';
import type { StreamNode, WirableNode } from '../stream/node.ts';
import { parseParams } from './params.ts';
import type { JobSettings } from './settings.ts';
import type { StandardSchema } from './standard-schema.ts';

/** What a job's function returns: the ends of its pipelines. */
export type JobStreams = DataStream<unknown, KeyOrNone> | readonly DataStream<unknown, KeyOrNone>[];

export interface JobOptions<P> extends JobSettings {
  /** Validates the parameters (`--set name=value`, `settings.params`): any Standard Schema, such as zod's. */
  readonly schema?: StandardSchema<unknown, P>;
}

/** A declared job. */
export interface Job {
  readonly name: string;
  readonly schema: StandardSchema | undefined;
  readonly settings: JobSettings;
  /** All nodes of the graph, inputs before what reads them; opens nothing. */
  graph(params?: Readonly<Record<string, unknown>>): readonly StreamNode[];
  /** The ends of the graph for one task; opens nothing. */
  build(params: unknown): readonly WirableNode[];
}

/**
 * Declares a job: named pipelines from sources to sinks, and their settings. `build` runs once for each task and once to draw
 * the graph, so it does no I/O and starts nothing.
 */
export function job<P = Readonly<Record<string, unknown>>>(
  name: string,
  build: (params: P) => JobStreams,
  options: JobOptions<P> = {},
): Job {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new JobDefinitionError('job() takes the name of the job first: its state is kept under it.');
  }
  const { schema, ...settings } = options;
  const declared: Job = {
    name,
    schema: schema as StandardSchema | undefined,
    settings,
    build: params => endsOf(name, () => build(params as P)),
    graph(params = settings.params ?? {}) {
      const parsed = parseParams(declared.schema, params, `the job "${name}"`);
      if (isPromise(parsed)) {
        throw new JobDefinitionError(
          `The schema of the job "${name}" is asynchronous: parameters are validated at once.`,
        );
      }
      return withInputs(declared.build(parsed));
    },
  };
  return declared;
}

/** Whether `value` was made by `job(…)`. */
export function isJob(value: unknown): value is Job {
  const candidate = value as Partial<Job> | null | undefined;
  return (
    typeof candidate === 'object' && typeof candidate?.build === 'function' && typeof candidate.graph === 'function'
  );
}

function endsOf(name: string, build: () => JobStreams): WirableNode[] {
  const outer = building.job;
  building.job = name;
  building.failure = undefined;
  try {
    const result: unknown = build();
    if (building.failure !== undefined) throw building.failure;
    const streams = Array.isArray(result) ? result : [result];
    if (streams.length === 0 || !streams.every(isDataStream)) {
      throw new JobDefinitionError(
        `The job "${name}" returned ${describeResult(streams)}: it must return the stream, or the streams, at the ends of its ` +
          'pipelines. A plain Observable (made by merge, combineLatest or a hand-written operator) cannot pass barriers: use ' +
          'union() or connect(), and begin with from(…).',
      );
    }
    return streams.map(stream => (stream as DataStream<unknown, KeyOrNone>).node);
  } finally {
    building.job = outer;
  }
}

function describeResult(streams: readonly unknown[]): string {
  if (streams.length === 0) return 'no stream';
  const other = streams.find(stream => !isDataStream(stream));
  if (other === undefined) return 'nothing';
  return typeof (other as { subscribe?: unknown }).subscribe === 'function'
    ? 'a plain Observable'
    : `a ${typeof other}`;
}

function withInputs(ends: readonly WirableNode[]): StreamNode[] {
  const nodes = new Set<StreamNode>();
  const visit = (node: StreamNode): void => {
    if (nodes.has(node)) return;
    for (const input of node.inputs) visit(input);
    nodes.add(node);
  };
  for (const end of ends) visit(end);
  return [...nodes];
}
