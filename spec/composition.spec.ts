import { Registry } from 'prom-client';
import { asyncScheduler } from 'rxjs';
import type { InjectionToken } from 'tsyringe';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memorySource } from '../connectors/memory/index.ts';
import { ChainCompactor } from '../lib/checkpoint/chain-compactor.ts';
import { storeCommitPoint } from '../lib/checkpoint/commit-point.ts';
import type { SnapshotStore } from '../lib/checkpoint/snapshot-store.ts';
import { closeContainer, jobContainer, taskContainer, taskServices } from '../lib/composition.ts';
import { from, job, type Logger, memoryStore, start } from '../lib/index.ts';
import { type JobSettings, resolveSettings } from '../lib/job/settings.ts';
import type { DependencyContainer } from '../lib/tokens.ts';
import * as tokens from '../lib/tokens.ts';
import { FedJob } from './job/fed-job.ts';
import { quiet } from './job/quiet.ts';

const composed = (settings: JobSettings = {}): DependencyContainer =>
  jobContainer(resolveSettings({ logger: quiet, store: memoryStore(), ...settings }, 'a job'));
const ref = { job: 'sums', task: 'main' };
const ignore = () => {};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the services of a job', () => {
  it('are one of each for the job, and one of each for every incarnation of its task', () => {
    const container = composed();
    const [first, second] = [taskContainer(container, ref), taskContainer(container, ref)];
    const ofJob = [tokens.LOGGER, tokens.REGISTRY, tokens.SNAPSHOT_STORE, tokens.OUTPUTS, tokens.MONOTONIC_CLOCK];
    for (const token of ofJob as InjectionToken<unknown>[]) expect(first.resolve(token)).toBe(second.resolve(token));
    const ofTask = [tokens.SHARED_SERVICES, tokens.SEGMENT_ENCODER, tokens.CHAIN_COMPACTOR];
    for (const token of ofTask as InjectionToken<unknown>[]) {
      expect(first.resolve(token)).not.toBe(second.resolve(token));
      expect(first.resolve(token), 'asked again').toBe(first.resolve(token));
    }
  });

  it('of two jobs have nothing to do with each other', () => {
    const [one, two] = [composed(), composed()];
    expect(one.resolve(tokens.REGISTRY)).not.toBe(two.resolve(tokens.REGISTRY));
    expect(one.resolve(tokens.OUTPUTS)).not.toBe(two.resolve(tokens.OUTPUTS));
  });

  it('measure time by the monotonic clock, or by the scheduler that was given', () => {
    const before = performance.now();
    expect(composed().resolve(tokens.MONOTONIC_CLOCK)()).toBeGreaterThanOrEqual(before);
    expect(composed().resolve(tokens.SCHEDULER)).toBe(asyncScheduler);
    const { time } = new FedJob();
    time.advance(1_234);
    expect(composed({ scheduler: time.scheduler }).resolve(tokens.MONOTONIC_CLOCK)()).toBe(1_234);
  });

  it('may each be replaced by its token', () => {
    const logger: Logger = { ...quiet, child: () => logger };
    const own = {
      logger,
      random: () => 0.25,
      registry: new Registry(),
      store: memoryStore(),
      clock: () => 7,
    };
    const container = composed({
      overrides: services => {
        services.registerInstance(tokens.LOGGER, own.logger);
        services.registerInstance(tokens.RANDOM, own.random);
        services.registerInstance(tokens.REGISTRY, own.registry);
        services.registerInstance(tokens.SNAPSHOT_STORE, own.store);
        services.registerInstance(tokens.MONOTONIC_CLOCK, own.clock);
      },
    });
    const services = taskServices(taskContainer(container, ref));
    expect(services.logger).toBe(own.logger);
    expect(services.monotonicNow()).toBe(7);
    expect(services.store).toBe(own.store.task(ref));
    expect([container.resolve(tokens.RANDOM), container.resolve(tokens.REGISTRY)]).toEqual([own.random, own.registry]);
  });

  it('of one incarnation may be replaced too, each incarnation getting its own', async () => {
    const made: unknown[] = [];
    const fed = new FedJob();
    const handle = fed.start({
      restart: { strategy: 'fixed-delay', attempts: 1, delay: 10 },
      overrides: services => {
        services.register(tokens.COMMIT_POINT, {
          useFactory: of => {
            made.push(of.resolve(tokens.TASK_REF));
            return storeCommitPoint(of.resolve(tokens.TASK_STORE));
          },
        });
      },
    });
    fed.store.plan('prepare', 'refuses');
    handle.checkpoint();
    fed.time.advance(10);
    await handle.stop();
    expect(made).toEqual([ref, ref]);
  });
});

describe('closing', () => {
  /** Tells when the parts of a job that hold something are closed. */
  const told = () => {
    const closed: string[] = [];
    vi.spyOn(ChainCompactor.prototype, 'close').mockImplementation(async () => {
      closed.push('compactor');
    });
    const store: SnapshotStore = {
      ...memoryStore(),
      close: () => {
        closed.push('store');
      },
    };
    return { closed, store };
  };

  it('closes what a container made, and nothing that was never asked for', () => {
    const { closed } = told();
    const container = composed();
    const task = taskContainer(container, ref);
    closeContainer(task, ignore);
    expect(closed).toEqual([]);
    const other = taskContainer(container, ref);
    other.resolve(tokens.CHAIN_COMPACTOR);
    closeContainer(other, ignore);
    closeContainer(other, ignore);
    expect(closed).toEqual(['compactor']);
  });

  it('closes the store that it made, and leaves one that was handed in to who made it', async () => {
    const { closed, store } = told();
    const given = composed({ store });
    given.resolve(tokens.SNAPSHOT_STORE);
    await closeContainer(given, ignore);
    expect(closed).toEqual([]);
    const { store: _, ...settings } = resolveSettings({ logger: quiet }, 'a job');
    const own = jobContainer(settings as never);
    vi.spyOn(own.resolve(tokens.SNAPSHOT_STORE), 'close').mockImplementation(store.close);
    await closeContainer(own, ignore);
    expect(closed).toEqual(['store']);
  });

  it('goes on behind what cannot be closed, and tells why', async () => {
    const container = taskContainer(composed(), ref);
    vi.spyOn(container.resolve(tokens.CHAIN_COMPACTOR), 'close').mockRejectedValue(new Error('stuck'));
    const messages: string[] = [];
    await closeContainer(container, message => messages.push(message));
    expect(messages).toEqual(['stuck']);
  });

  it('disposes what tsyringe made of a class that overrides a service', async () => {
    const disposed: string[] = [];
    class OwnOutputs {
      dispose(): void {
        disposed.push('outputs');
      }
    }
    const container = composed({
      overrides: services => services.registerSingleton(tokens.OUTPUTS, OwnOutputs as never),
    });
    container.resolve(tokens.OUTPUTS);
    await closeContainer(container, ignore);
    expect(disposed).toEqual(['outputs']);
  });

  it('ends each incarnation before the next begins, and the job last of all', async () => {
    const { closed } = told();
    const fed = new FedJob();
    const handle = fed.start({ restart: { strategy: 'fixed-delay', attempts: 1, delay: 10 } });
    handle.status$.subscribe(({ phase }) => closed.push(phase));
    fed.store.plan('prepare', 'refuses');
    handle.checkpoint();
    await fed.settled();
    fed.time.advance(10);
    await handle.stop();
    expect(closed).toEqual([
      'running',
      'compactor',
      'restarting',
      'recovering',
      'running',
      'stopping',
      expect.any(String),
      'compactor',
      'stopped',
    ]);
  });

  it('leaves nothing open of a job that could not begin', async () => {
    let isDisposed = false;
    class OwnOutputs {
      dispose(): void {
        isDisposed = true;
      }
    }
    const twice = job('twice', () => [from(memorySource([1])), from(memorySource([1]))]);
    const begin = () =>
      start(twice, {
        store: memoryStore(),
        logger: quiet,
        overrides: services => services.registerSingleton(tokens.OUTPUTS, OwnOutputs as never),
      });
    expect(begin).toThrow(/Two sources are named "memory"/);
    expect(isDisposed).toBe(true);
  });
});
