import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parseDuration } from '../../lib/duration.ts';
import { resolveSettings } from '../../lib/job/settings.ts';
import { understood } from './command.ts';
import { documentsOf, root } from './files.ts';

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly mem_limit?: string;
}

const [compose] = documentsOf<{ services: Record<string, Service>; volumes: Record<string, null> }>('compose.yaml');
const { services, volumes } = compose as NonNullable<typeof compose>;
const service = (name: string): Service => services[name] as Service;
const workers = ['worker-1', 'worker-2'].map(service);

describe('compose.yaml', () => {
  it('has Kafka, Redis, two workers, and what fills the topic', () => {
    expect(Object.keys(services).sort()).toEqual(['kafka', 'load', 'redis', 'topics', 'worker-1', 'worker-2']);
    expect(service('load').profiles).toEqual(['load']);
    const places = Object.values(services).flatMap(({ volumes = [] }) => volumes.map(volume => volume.split(':')[0]));
    expect(places.sort()).toEqual(Object.keys(volumes).sort());
  });

  it('waits for services that are there, and have a health check where that is waited for', () => {
    for (const [name, { depends_on = {} }] of Object.entries(services)) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect(services, `${name} on ${other}`).toHaveProperty([other]);
        if (condition === 'service_healthy') expect(service(other).healthcheck?.test[0]).toBe('CMD');
      }
    }
  });

  it('gives both workers the same command, which is understood, and ports of their own', async () => {
    expect(workers[0]?.command).toEqual(workers[1]?.command);
    expect(workers[0]?.command.join(' ')).toContain('--tasks per-partition');
    expect(new Set(workers.flatMap(({ ports = [] }) => ports)).size).toBe(2);
    const { exitCode, said, job, settings, listens } = await understood(workers[0]?.command ?? []);
    expect({ exitCode, said }).toMatchObject({ exitCode: 0 });
    expect(listens).toBe('0.0.0.0:9464');
    for (const { ports = [] } of workers) expect(ports[0]).toMatch(/^127\.0\.0\.1:\d+:9464$/);
    vi.stubEnv('KAFKA_BROKERS', 'kafka:19092');
    try {
      const kinds = job?.graph({ ...settings?.params }).map(({ kind, name }) => `${kind} ${name}`);
      expect(kinds).toEqual(expect.arrayContaining([`source kafka:${topicOfCommand()}`]));
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('names the variables that are read, and the addresses of its services', () => {
    for (const { environment = {} } of workers) {
      expect(Object.keys(environment).sort()).toEqual(['KAFKA_BROKERS', 'NODE_OPTIONS', 'TIDEMARK_STORE']);
      expect(environment.TIDEMARK_STORE).toBe('redis://redis:6379');
      const brokers = String(environment.KAFKA_BROKERS);
      expect(service('kafka').environment?.KAFKA_ADVERTISED_LISTENERS).toContain(`INTERNAL://${brokers},`);
      expect(service('topics').command).toContain(brokers);
      expect(service('load').environment?.KAFKA_BROKERS).toBe(brokers);
    }
  });

  it('gives a stop more time than the job takes for it, and Node less memory than there is', () => {
    const { stopTimeout } = resolveSettings({}, 'a job');
    for (const { stop_grace_period, mem_limit, environment } of workers) {
      expect(parseDuration(stop_grace_period)).toBeGreaterThan(stopTimeout);
      const heap = Number(/^--max-old-space-size=(\d+)$/.exec(String(environment?.NODE_OPTIONS))?.[1]);
      expect(heap).toBeLessThanOrEqual(0.8 * Number.parseInt(String(mem_limit), 10));
    }
  });

  it('fills the topic with a program that is there, and makes the topic before', () => {
    const [node, program] = service('load').entrypoint ?? [];
    expect(node).toBe('node');
    expect(existsSync(path.join(root, String(program)))).toBe(true);
  });

  it('sets what transactions need of a single broker', () => {
    expect(service('kafka').environment).toMatchObject({
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1,
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: 1,
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: 1,
      KAFKA_PROCESS_ROLES: 'broker,controller',
    });
  });
});

function topicOfCommand(): string {
  const { command } = service('topics');
  return String(command[command.indexOf('--topic') + 1]);
}
