import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { kafkaTaskSharing } from '../../../../connectors/kafka/index.ts';
import type { KafkaTaskSharingOptions } from '../../../../connectors/kafka/scale/options.ts';
import { silentLogger } from '../../../../lib/index.ts';
import { startKafka } from '../../../../tools/services/kafka/kafka.ts';
import { newTopic, sharedCluster } from '../client/cluster.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { doubles, isShared, SharingProcess } from './sharing-process.ts';

const generous = { timeout: 60_000, interval: 50 };
const tasks = 10;
let client: KafkaClient;
let topic: string;

beforeAll(async () => {
  client = sharedCluster();
  topic = await newTopic(client, tasks);
});
afterAll(() => client.close());

const processes: SharingProcess[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(processes.splice(0).map(process => process.close()));
  expect(doubles.splice(0)).toEqual([]);
});

const optionsOf = (more: Partial<KafkaTaskSharingOptions> = {}): KafkaTaskSharingOptions => ({
  ...{ group: `sharing-${randomUUID()}`, topics: [topic], heartbeatInterval: '500ms' },
  ...more,
});

function started(options: KafkaTaskSharingOptions, count = tasks): SharingProcess {
  const process = new SharingProcess(`p${processes.length}`, count, options, processes);
  processes.push(process);
  return process;
}

const shared = (among: readonly SharingProcess[]) =>
  expect.poll(() => among.map(({ running }) => [...running]) && isShared(among, tasks), generous).toBe(true);

/** What each runs now, and how much it has heard so far. */
const noted = (among: readonly SharingProcess[]) =>
  among.map(process => ({ process, ran: [...process.running], heard: process.calls.length }));

/** Of what stayed with them nobody heard a word; and no more was taken than `moved`. */
function expectUndisturbed(notes: ReturnType<typeof noted>, moved: number): void {
  let given = 0;
  for (const { process, ran, heard } of notes) {
    const kept = ran.filter(task => process.running.has(task));
    expect(process.heardOf(kept, heard)).toEqual([]);
    given += ran.length - kept.length;
  }
  expect(given).toBe(moved);
}

describe('the shape of topics', () => {
  it('has a task for each partition, up to a limit', async () => {
    const sharing = kafkaTaskSharing(optionsOf());
    expect(await sharing.shape(64)).toEqual({ tasks, partitions: { [topic]: tasks } });
    expect((await sharing.shape(4)).tasks).toBe(4);
  });

  it('refuses topics that do not go together, or are not there', async () => {
    const other = await newTopic(client, 3);
    const code = (topics: string[]) =>
      kafkaTaskSharing(optionsOf({ topics }))
        .shape(64)
        .catch(error => error.code);
    expect(await code([topic, other])).toBe('KAFKA_CO_PARTITION');
    expect(await code([topic, 'not-there'])).toBe('KAFKA_TOPIC');
  });
});

it('stays a member over other connections when those that it has say nothing any more', async () => {
  await using proxy = await TcpProxy.to(process.env.KAFKA_BROKERS as string);
  const sessionTimeoutMs = 8_000;
  const member = started(optionsOf({ brokers: proxy.brokers, sessionTimeout: sessionTimeoutMs }));
  await shared([member]);
  proxy.forgetConnections();
  let beats = 0;
  const forgottenAt = performance.now();
  proxy.fate = api => {
    if (api === 'Heartbeat') beats++;
    return 'pass';
  };
  // Its session is over without them.
  await expect.poll(() => beats > 3 && performance.now() - forgottenAt > 2 * sessionTimeoutMs, generous).toBe(true);
  expect(member.calls.filter(({ is }) => is === 'lost')).toEqual([]);
  expect(member.running.size).toBe(tasks);
});

describe('processes that come and go', () => {
  it('1, 3, 2, 5: every task runs once, and whoever stays goes on with what it keeps', async () => {
    const options = optionsOf({ sessionTimeout: '60s' });
    const first = started(options);
    await shared([first]);
    const one = noted([first]);
    const second = started(options);
    const third = started(options);
    await shared([first, second, third]);
    expectUndisturbed(one, 6);

    const staying = noted([first, third]);
    await second.close();
    expect([...second.running]).toEqual([]);
    // Long before its session is over.
    await shared([first, third]);
    expectUndisturbed(staying, 0);

    const two = noted([first, third]);
    const five = [first, third, started(options), started(options), started(options)];
    await shared(five);
    expectUndisturbed(two, 6);
    expect(five.flatMap(({ calls }) => calls.filter(({ is }) => is === 'lost'))).toEqual([]);
  });

  it('gives nothing to another before it has ended; its other tasks go on meanwhile', async () => {
    const options = optionsOf();
    const first = started(options);
    await shared([first]);
    const ended = Promise.withResolvers<void>();
    first.ends = ended.promise;
    const second = started(options);
    await expect.poll(() => first.calls.at(-1)?.is, generous).toBe('revoked');
    const third = started(options);
    // A whole rebalance later.
    const isThirdIn = () => first.calls.filter(({ is }) => is === 'revoked').length > 1;
    await expect.poll(isThirdIn, generous).toBe(true);
    expect([second.running.size, third.running.size, first.running.size]).toEqual([0, 0, tasks]);
    ended.resolve();
    await shared([first, second, third]);
    expect(first.calls.filter(({ is }) => is === 'lost')).toEqual([]);
  });

  it('has some stand by where there are more processes than tasks', async () => {
    const options = optionsOf();
    const [first, second] = [started(options, 1), started(options, 1)];
    await expect.poll(() => first.running.size + second.running.size, generous).toBe(1);
    const [owner, other] = first.running.size > 0 ? [first, second] : [second, first];
    await owner.close();
    await expect.poll(() => [...other.running], generous).toEqual([0]);
  });

  it('keeps out a process that runs another number of tasks', async () => {
    const options = optionsOf();
    await shared([started(options)]);
    const other = started(options, tasks - 1);
    await expect
      .poll(() => other.calls, generous)
      .toEqual([{ is: 'lost', why: 'FAILED', isFinal: true, code: 'KAFKA_ANSWER' }]);
  });
});

describe('a static member', () => {
  it('finds its tasks when it is back, and nobody else hears of it', async () => {
    const options = optionsOf({ sessionTimeout: '60s' });
    const [first, second] = [started({ ...options, instanceId: 'a' }), started({ ...options, instanceId: 'b' })];
    await shared([first, second]);
    const ran = [...second.running].sort();
    const heard = first.calls.length;
    await second.close();
    const again = started({ ...options, instanceId: 'b' });
    await shared([first, again]);
    expect([...again.running].sort()).toEqual(ran);
    expect(first.calls.slice(heard)).toEqual([]);
  });

  it('leaves at once when the job has ended: others have its tasks, and another number of them is let in', {
    timeout: 120_000,
  }, async () => {
    const options = optionsOf({ sessionTimeout: '10m', rebalanceTimeout: '10m' });
    const [first, second] = [started({ ...options, instanceId: 'a' }), started({ ...options, instanceId: 'b' })];
    await shared([first, second]);
    await second.close(true);
    await shared([first]);
    await first.close(true);
    const fewer = started({ ...options, instanceId: 'a' }, 3);
    await expect.poll(() => [...fewer.running].sort(), generous).toEqual([0, 1, 2]);
    await fewer.close(true);
  });

  it('is lost for good when another process has its name', async () => {
    const options = optionsOf({ instanceId: 'a' });
    const first = started(options);
    await shared([first]);
    // Its tasks run in the other one before it hears of that: the group takes it at its word.
    const second = new SharingProcess('again', tasks, options);
    processes.push(second);
    const loss = { is: 'lost', why: 'FENCED_INSTANCE_ID', isFinal: true, code: 'KAFKA_ANSWER' };
    await expect.poll(() => first.calls.at(-1), generous).toEqual(loss);
    await shared([second]);
  });
});

it('a process that is stopped loses its tasks after its session, hears so when it goes on, and joins again', {
  timeout: 120_000,
}, async () => {
  const options = optionsOf({ sessionTimeout: '6s' });
  const first = started(options);
  await shared([first]);
  const script = path.join(import.meta.dirname, 'stopped-process.ts');
  const child = spawn(process.execPath, ['--conditions=tidemark-dev', script, JSON.stringify({ tasks, options })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const said: { is: string; why?: string; tasks?: number[] }[] = [];
  createInterface({ input: child.stdout }).on('line', line => said.push(JSON.parse(line)));
  await expect.poll(() => said.flatMap(({ tasks = [] }) => tasks).length, generous).toBe(tasks / 2);
  const { ran, heard } = noted([first])[0] ?? { ran: [], heard: 0 };

  child.kill('SIGSTOP');
  await shared([first]);
  expect(first.heardOf(ran, heard)).toEqual([]);
  child.kill('SIGCONT');
  await expect
    .poll(() => said.slice(1, 2), generous)
    .toMatchObject([{ is: 'lost', why: 'SESSION_EXPIRED', isFinal: false }]);
  await expect.poll(() => said.at(-1)?.is === 'assigned' && first.running.size, generous).toBe(tasks / 2);
});

it('goes on when the broker is back; only whose session was over meanwhile loses its tasks', {
  timeout: 180_000,
}, async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-sharing-spec-'));
  const settings = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '500' };
  let server = await startKafka({ dir, settings });
  const { port, brokers } = server;
  const own = kafkaClient({ brokers }, silentLogger);
  try {
    const options = optionsOf({ brokers, topics: [await newTopic(own, tasks)], rebalanceTimeout: '150s' });
    const long = { ...options, sessionTimeout: '150s' } as const;
    const [first, second] = [started(long), started(long)];
    const third = started({ ...options, sessionTimeout: '6s' });
    await shared([first, second, third]);
    const notes = noted([first, second]);
    await server.stop();
    await expect.poll(() => third.calls.at(-1), generous).toMatchObject({ is: 'lost', why: 'SESSION_EXPIRED' });
    server = await startKafka({ dir, port, settings });
    await shared([first, second, third]);
    expectUndisturbed(notes, 0);
    await Promise.all(processes.splice(0).map(process => process.close()));
  } finally {
    await own.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
