import type { SchedulerLike } from 'rxjs';
import { z } from 'zod';
import type { CommitPointResolver } from '../checkpoint/commit-point.ts';
import type { SnapshotStore } from '../checkpoint/snapshot-store.ts';
import { SettingsError } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { DependencyContainer } from '../tokens.ts';
import {
  choice,
  duration,
  durationOrOff,
  flag,
  functionOf,
  name,
  numberBetween,
  objectWith,
  section,
  wholeNumber,
} from './settings-fields.ts';
import { settingsProblems } from './settings-problems.ts';

const ms = { unit: 'ms' };
const always = { when: () => true };

const checkpoint = section({
  interval: durationOrOff()
    .prefault('10s')
    .meta({
      ...ms,
      description:
        'Time between the starts of two checkpoints; "off": only the final one is taken, and one when held-back output has kept the sources paused for 100 ms.',
    }),
  mode: choice('exactly-once', 'at-least-once').prefault('exactly-once').meta({
    description: 'Whether an operator with several inputs holds back what overtakes a barrier, or lets it pass.',
  }),
  timeout: duration()
    .prefault('10m')
    .meta({ ...ms, description: 'A checkpoint that is not ready to commit after this time is abandoned.' }),
  minPause: duration({ zero: true })
    .prefault('0s')
    .meta({ ...ms, description: 'Least time from the end of a checkpoint to the start of the next.' }),
  tolerableFailures: wholeNumber(0)
    .prefault(0)
    .meta({ unit: 'checkpoints', description: 'How many may fail in a row before the task restarts.' }),
  retained: wholeNumber(1)
    .prefault(3)
    .meta({ unit: 'checkpoints', description: 'How many committed checkpoints are kept; savepoints do not count.' }),
  onCancel: choice('keep', 'delete')
    .prefault('keep')
    .meta({ description: 'What becomes of the checkpoints when the job is cancelled.' }),
  atLeastEvery: duration()
    .prefault('1d')
    .meta({ ...ms, description: 'A checkpoint is taken after this time even though nothing has changed.' }),
  requestInterval: duration()
    .prefault('1s')
    .meta({ ...ms, description: 'How often a running task looks in its store for requests for savepoints.' }),
  compression: choice('zstd', 'none').prefault('zstd').meta({ description: 'How segments are compressed.' }),
  commitTimeout: duration()
    .prefault('30s')
    .meta({
      ...ms,
      description: 'How long an unanswered commit is asked again before the task restarts to resolve it.',
    }),
})
  .superRefine((given, context) => {
    if (typeof given !== 'object' || given === null) return;
    const { interval, minPause, atLeastEvery } = given;
    if (typeof interval !== 'number' || typeof atLeastEvery !== 'number' || typeof minPause !== 'number') return;
    if (Math.max(interval, minPause) > atLeastEvery) {
      context.addIssue(
        crossField(
          ['atLeastEvery'],
          `a checkpoint at least every ${atLeastEvery} ms is impossible when the next one starts after ${Math.max(interval, minPause)} ms (interval ${interval} ms, minPause ${minPause} ms): raise atLeastEvery or lower the others`,
        ),
      );
    }
  }, always)
  .prefault({});

const restart = z
  .discriminatedUnion(
    'strategy',
    [
      section({ strategy: z.literal('none').meta({ description: 'The first failure ends the job.' }) }),
      section({
        strategy: z.literal('fixed-delay'),
        attempts: wholeNumber(1).meta({
          unit: 'restarts',
          description: 'How often it is tried again, over the life of the job.',
        }),
        delay: duration({ zero: true }).meta({ ...ms, description: 'Time from a failure to the restart.' }),
      }),
      section({
        strategy: z
          .literal('exponential')
          .optional()
          .transform(() => 'exponential' as const),
        initialDelay: duration()
          .prefault('1s')
          .meta({ ...ms, description: 'Time from the first failure to the restart.' }),
        maxDelay: duration()
          .prefault('1m')
          .meta({ ...ms, description: 'No delay is longer, jitter included.' }),
        multiplier: numberBetween(1, Number.POSITIVE_INFINITY)
          .prefault(2)
          .meta({ unit: 'factor', description: 'What each failure multiplies the delay by.' }),
        jitter: numberBetween(0, 1).prefault(0.1).meta({
          unit: 'part of the delay',
          description: 'How far a delay may lie from its nominal value, either way.',
        }),
        resetAfter: duration()
          .prefault('10m')
          .meta({
            ...ms,
            description: 'After running this long without a failure the delay and the attempts start anew.',
          }),
        attempts: wholeNumber(1).optional().meta({
          unit: 'restarts',
          description: 'How often it is tried again since the last reset; without limit when left out.',
        }),
      }).superRefine((given, context) => {
        if (typeof given !== 'object' || given === null) return;
        const { initialDelay, maxDelay } = given;
        if (typeof initialDelay !== 'number' || typeof maxDelay !== 'number' || initialDelay <= maxDelay) return;
        context.addIssue(
          crossField(
            ['maxDelay'],
            `${maxDelay} ms is shorter than initialDelay, ${initialDelay} ms: raise it or lower initialDelay`,
          ),
        );
      }, always),
      section({
        strategy: z.literal('failure-rate'),
        maxFailures: wholeNumber(1).meta({
          unit: 'failures',
          description: 'How many are borne within the time `per`.',
        }),
        per: duration().meta({ ...ms, description: 'The time over which failures are counted.' }),
        delay: duration({ zero: true }).meta({ ...ms, description: 'Time from a failure to the restart.' }),
      }).superRefine((given, context) => {
        if (typeof given !== 'object' || given === null) return;
        const { maxFailures, per, delay } = given;
        if (typeof maxFailures !== 'number' || typeof per !== 'number' || typeof delay !== 'number') return;
        if (maxFailures * delay <= per) return;
        context.addIssue(
          crossField(
            ['per'],
            `${maxFailures + 1} failures that lie ${delay} ms apart take ${maxFailures * delay} ms, so more than ${maxFailures} within ${per} ms cannot happen and the job would restart forever: raise per to ${maxFailures * delay} ms or lower delay`,
          ),
        );
      }, always),
    ],
    {
      error: issue =>
        issue.code === 'invalid_union'
          ? '"none", "fixed-delay", "exponential" or "failure-rate"'
          : 'an object with strategy',
    },
  )
  .prefault({});

const recovery = section({
  acceptCheckpoint: wholeNumber(1).optional().meta({
    unit: 'checkpoint id',
    description:
      'Goes on from this checkpoint, the newest that the store has confirmed, although what decides about checkpoints has lost its record or names one that the store lacks; output that was committed after it comes twice.',
  }),
  rewind: z
    .union([wholeNumber(1), z.array(wholeNumber(1)).nonempty()], {
      error: 'the id of a checkpoint, or a list of them, one for each task',
    })
    .optional()
    .meta({
      unit: 'checkpoint ids',
      description:
        'With fromSavepoint: gives up this checkpoint, the newest of the job, or those of its tasks, for the savepoint; what was written after the savepoint is written again.',
    }),
  acceptMovedKeys: flag().prefault(false).meta({
    description:
      'With fromSavepoint, of a job in several tasks whose topics have got more partitions: starts although not all of the old ones was read; a record of a key that has moved then fails the job.',
  }),
  previousCommitPoint: objectWith<CommitPointResolver>('a commit point, as kafkaCommitPoint({ brokers }) is one', [
    'resolve',
  ])
    .optional()
    .meta({
      description:
        'Where to ask what was decided last when the job no longer has the exactly-once sink that decided, and was not stopped cleanly before it went.',
    }),
}).prefault({});

/** The settings of a job: every option with its default, unit and description. Durations are resolved to milliseconds. */
export const jobSettings = section({
  checkpoint,
  restart: restart.meta({ description: 'Whether and when a failed job starts again from its last checkpoint.' }),
  recovery: recovery.meta({
    description: 'Choices for a start that finds something missing; they are made once, and do nothing otherwise.',
  }),
  task: name().prefault('main').meta({ description: 'Name of the task: with the name of the job it finds its state.' }),
  tasks: choice('single', 'standby', 'per-partition').prefault('single').meta({
    description:
      'Whether one process runs the job as one task; one does and others stand by; or its tasks, by partition, are spread over all processes that run it.',
  }),
  maxTasks: wholeNumber(1).prefault(64).meta({
    unit: 'tasks',
    description:
      'Per-partition tasks are as many as there are partitions, but at most this; fixed for the life of the state.',
  }),
  maxMarkers: wholeNumber(1).prefault(5_000).meta({
    unit: 'markers a second',
    description:
      'A job with `repartition` in several tasks that would leave more markers of transactions in Kafka is refused.',
  }),
  members: section({
    group: name().optional().meta({
      description: 'The consumer group in which the processes share the tasks; by default one named after the job.',
    }),
    instanceId: name().optional().meta({
      description:
        'A name that this process alone has and keeps over restarts: it gets its tasks back when it returns within the session timeout.',
    }),
    sessionTimeout: duration()
      .prefault('15s')
      .meta({ ...ms, description: 'A process that the group does not hear of for this time loses its tasks.' }),
    releaseTimeout: duration()
      .prefault('60s')
      .meta({ ...ms, description: 'How long tasks that are wanted elsewhere may take for their last checkpoint.' }),
  })
    .prefault({})
    .meta({ description: 'How the processes of a job that share its tasks know of each other.' }),
  stopTimeout: duration()
    .prefault('30s')
    .meta({ ...ms, description: 'How long a stop may take, its final checkpoint included.' }),
  credits: section({
    limit: wholeNumber(1).prefault(10_000).meta({
      unit: 'records',
      description: 'How many records operators and sinks may hold back before sources pause; they resume at half.',
    }),
  }).prefault({}),
  freezeState: flag().prefault(true).meta({ description: 'Whether states that an actor returns are shallow-frozen.' }),
  metricsInterval: duration()
    .prefault('10s')
    .meta({ ...ms, description: "How often the handle's `metrics$` emits." }),
  statusInterval: duration()
    .prefault(250)
    .meta({
      ...ms,
      description: "How often the handle's `status$` emits counters; a change of phase is told at once.",
    }),
  logger: objectWith<Logger>('a logger', ['debug', 'info', 'warn', 'error', 'child'])
    .optional()
    .meta({ description: 'Where the job logs; by default JSON lines on stderr.' }),
  store: objectWith<SnapshotStore>('a snapshot store', ['check', 'task', 'tasks', 'close'])
    .optional()
    .meta({ description: 'Where checkpoints are kept; by default files under `./.tidemark`.' }),
  overrides: functionOf<(container: DependencyContainer) => void>('a function that is given the tsyringe container')
    .optional()
    .meta({ description: "Replaces services in the task's container by their tokens." }),
  fromSavepoint: z.string({ error: 'a directory, or the name of a savepoint' }).min(1).optional().meta({
    description:
      'The savepoint to start from: a directory, a name, or job/name for one of another job in the store. Started again with the same, the job goes on from where it was.',
  }),
  fresh: flag()
    .prefault(false)
    .meta({ description: 'Starts from empty state although there is a checkpoint, with an id above it.' }),
  allowDroppedState: flag().prefault(false).meta({
    description:
      'Starts although the checkpoint holds state of actors or sources that the job no longer has; it is dropped.',
  }),
  params: z
    .record(z.string(), z.unknown(), { error: 'an object of parameters by name' })
    .prefault({})
    .meta({ description: "What the job's function is given, validated by the job's own schema." }),
  scheduler: objectWith<SchedulerLike>('an RxJS scheduler', ['now', 'schedule'])
    .optional()
    .meta({ description: 'Clock and timers of the task; virtual in tests.' }),
});

/** What a user may write: every setting has a default. */
export type JobSettings = z.input<typeof jobSettings>;
/** All settings, every duration in milliseconds. */
export type ResolvedSettings = z.output<typeof jobSettings>;
export type CheckpointSettings = ResolvedSettings['checkpoint'];
export type RestartSettings = ResolvedSettings['restart'];

/** Validates and fills in settings; a `SettingsError` names every problem at once. `where` says whose they are ('the job "totals"'). */
export function resolveSettings(input: JobSettings | undefined, where: string): ResolvedSettings {
  const parsed = jobSettings.safeParse(input ?? {}, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new SettingsError(`The settings of ${where} cannot be used`, settingsProblems(parsed.error.issues));
}

/** Settings of the job with those of `start` over them: sections field by field, `restart` and `params` by strategy and name. */
export function mergeSettings(job: JobSettings = {}, over: JobSettings = {}): JobSettings {
  const merged: Record<string, unknown> = { ...job };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged[key];
    merged[key] = sections.has(key) && isObject(below) && isObject(value) ? { ...below, ...defined(value) } : value;
  }
  return merged as JobSettings;
}

const sections = new Set<string>([
  'checkpoint',
  'recovery',
  'credits',
  'params',
  'members',
] satisfies (keyof JobSettings)[]);
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const defined = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));

function crossField(path: string[], message: string) {
  return { code: 'custom' as const, path, message, params: { crossField: true }, input: undefined };
}
