// One process of a job whose tasks are shared; answers questions of its parent: worker.ts <WorkerOptions as JSON>
import { Socket } from 'node:net';
import { actor, type Duration, from, type JobHandle, job, type Logger, start, type } from 'tidemark';
import { json, kafkaSource } from 'tidemark/connectors/kafka';
import { redisStore } from 'tidemark/connectors/redis';
import { keyBy, to } from 'tidemark/operators';
import '../../tools/services/kafka/without-timer-warning.ts';
import { quiet } from '../harness/quiet.ts';
import { connectionsTo } from '../harness/sockets.ts';
import { nullSink } from '../nexmark/null-sink.ts';
import { PauseMeter } from './pause-meter.ts';
import type { Answer, Question, TaskEvent, WorkerOptions, WorkerState } from './protocol.ts';

const { brokers, redis, topic, name, tasks, work, interval } = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;

interface Value {
  readonly key: string;
  /** The partition, where it is asked for. */
  readonly p?: number;
}

const events: TaskEvent[] = [];
const now = () => performance.timeOrigin + performance.now();
const pauses = new PauseMeter(now);
const sink = nullSink<number>();
let handled = 0;
let checkpoints = 0;
let lastCheckpointAt = now();
let fetches = 0;
let kafkaRequests = 0;
let handle: JobHandle | undefined;

countRequests();
const logger: Logger = {
  ...quiet,
  info(fields, message) {
    const { tasks } = fields as { readonly tasks?: readonly number[] };
    if (message.startsWith('tasks were assigned')) for (const task of tasks ?? []) note('assigned', task);
    if (message.startsWith('tasks are given back')) for (const task of tasks ?? []) note('revoked', task);
  },
  child: () => logger,
};

const definition = job(name, () =>
  from(
    kafkaSource({ brokers, topic, value: json<Value>(), start: 'earliest', partitionOf: 'unknown', discovery: 'off' }),
  ).pipe(
    keyBy(({ key }) => key),
    actor('count', {
      emits: type<number>(),
      update: 'return',
      initial: () => 0,
      receive(count, { key, p }: Value, context) {
        handled++;
        if (p !== undefined) pauses.handled(p);
        context.emit(spin(key, work));
        return count + 1;
      },
    }),
    to(sink),
  ),
);

/** Work that only takes processor time: a hash of the key, over and over. */
function spin(text: string, rounds: number): number {
  let hash = 0x811c9dc5;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}

function note(is: TaskEvent['is'], task: number): void {
  events.push({ is, task, at: now() });
}

function begin(): void {
  const store = redisStore(redis);
  const begun = start(definition, { store, tasks, checkpoint: { interval: interval as Duration }, logger });
  handle = begun;
  const running = new Set<string>();
  begun.status$.subscribe(({ tasks: shown = [] }) => {
    const are = new Set(shown.filter(({ phase }) => phase === 'running').map(({ task }) => task));
    for (const task of are) if (!running.has(task)) note('running', Number(task));
    running.clear();
    for (const task of are) running.add(task);
  });
  begun.checkpoints$.subscribe(({ outcome }) => {
    if (outcome !== 'committed') return;
    checkpoints++;
    lastCheckpointAt = now();
  });
  begun.done
    .finally(() => store.close())
    .catch(error => {
      console.error(error);
      process.exit(1);
    });
}

async function end(): Promise<void> {
  await handle?.stop();
  handle = undefined;
}

function state(): WorkerState {
  const { user, system } = process.cpuUsage();
  const status = handle?.status;
  const shown = status?.tasks ?? (status ? [status] : []);
  return {
    at: now(),
    running: shown.filter(({ phase }) => phase === 'running').map(({ task }) => Number(task) || 0),
    keys: status?.actors.reduce((sum, { keys }) => sum + keys, 0) ?? 0,
    cpuSeconds: (user + system) / 1e6,
    ...{
      handled,
      checkpoints,
      lastCheckpointAt,
      fetches,
      kafkaRequests,
      connections: { kafka: connectionsTo(brokers), redis: connectionsTo(redis) },
    },
  };
}

/** Requests that this process writes to Kafka: their size, then the number of the kind of request. */
function countRequests(): void {
  const port = Number(brokers.split(':').at(-1));
  const fetch = 1;
  const { write } = Socket.prototype;
  Socket.prototype.write = function (this: Socket, chunk: unknown, ...rest: never[]) {
    if (this.remotePort === port && chunk instanceof Uint8Array && chunk.length > 6) {
      kafkaRequests++;
      if (((chunk[4] ?? 0) << 8) + (chunk[5] ?? 0) === fetch) fetches++;
    }
    return (write as (...args: unknown[]) => boolean).call(this, chunk, ...rest);
  } as typeof write;
}

async function answer(question: Question): Promise<Answer> {
  if (question === 'begin') begin();
  else if (question === 'end') await end();
  else if (question === 'events') return events.splice(0);
  else if (question === 'pauses') return pauses.taken();
  return state();
}

process.on('message', question => void answer(question as Question).then(said => process.send?.(said)));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => void end().then(() => process.exit(0)));
process.send?.('ready');
