import { isObservable } from 'rxjs';
import { JobDefinitionError, messageOf, TidemarkError } from '../errors.ts';
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
  if (typeof build !== 'function') {
    throw new JobDefinitionError(
      `job("${name}", …) takes a function second, which returns the streams at the ends of the job, not ${describe(build)}.`,
    );
  }
  const { schema, ...settings } = options;
  if (schema !== undefined && typeof (schema as Partial<StandardSchema>)?.['~standard']?.validate !== 'function') {
    throw new JobDefinitionError(
      `The schema of the job "${name}" is ${describe(schema)}: give it a Standard Schema, such as z.object({ … }) of zod.`,
    );
  }
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
    const result = called(name, build);
    if (building.failure !== undefined) throw building.failure;
    const streams = Array.isArray(result) ? result : [result];
    if (streams.length === 0 || !streams.every(isDataStream)) {
      const other: unknown = streams.find(stream => !isDataStream(stream));
      throw new JobDefinitionError(
        `The job "${name}" returned ${streams.length === 0 ? 'no stream' : describe(other)}: it must return the stream, or the ` +
          `streams, at the ends of its pipelines. ${remedy(other)}`,
      );
    }
    return streams.map(stream => (stream as DataStream<unknown, KeyOrNone>).node);
  } finally {
    building.job = outer;
  }
}

function called(name: string, build: () => JobStreams): unknown {
  try {
    return build();
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new JobDefinitionError(`The function of the job "${name}" threw: ${messageOf(error)}`, {
      cause: error,
      context: { job: name },
    });
  }
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (isObservable(value)) return 'a plain Observable';
  if (typeof (value as { then?: unknown }).then === 'function') return 'a promise';
  return typeof value === 'object' ? 'an object that is none' : `a ${typeof value}`;
}

function remedy(value: unknown): string {
  if (isObservable(value)) {
    return (
      'A plain Observable (made by merge, combineLatest or a hand-written operator) cannot pass barriers: use union() or ' +
      'connect(), and begin with from(…).'
    );
  }
  if (typeof (value as { then?: unknown } | null | undefined)?.then === 'function') {
    return 'It does no I/O, so it is no async function: what must be loaded first comes in as a parameter.';
  }
  return 'Begin with from(source), and return what the last pipe(…) answers.';
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
