import 'reflect-metadata';
import { Registry } from 'prom-client';
import { asyncScheduler } from 'rxjs';
import {
  type DependencyContainer,
  type InjectionToken,
  instanceCachingFactory,
  instancePerContainerCachingFactory,
  container as rootContainer,
} from 'tsyringe';
import { ChainCompactor } from './checkpoint/chain-compactor.ts';
import type { TaskLayout } from './checkpoint/manifest.ts';
import { type EncoderOptions, SegmentEncoder } from './checkpoint/segment-encoder.ts';
import type { TaskRef } from './checkpoint/snapshot-store.ts';
import { fileStore } from './checkpoint/store-file/index.ts';
import { messageOf } from './errors.ts';
import { Outputs } from './job/outputs.ts';
import type { ResolvedSettings } from './job/settings.ts';
import { andThen, attempt, eachInOrder, type MaybePromise } from './maybe-promise.ts';
import { createLogger } from './observe/create-logger.ts';
import { storedTasks } from './scale/current-tasks.ts';
import { allAtRest } from './scale/rest-look.ts';
import { verifyAlone } from './scale/task-layout.ts';
import { SharedServices } from './task/shared-services.ts';
import type { TaskServices } from './task/task-services.ts';
import * as tokens from './tokens.ts';

/** Where state is kept unless a store is set. */
export const defaultStoreDirectory = './.tidemark';

/** Raw bytes at which a segment is closed. */
const segmentBytes = 4 * 1024 * 1024;

/** What tsyringe does not do: it forgets what factories made. One list a container, closed in reverse order. */
const disposals = new WeakMap<DependencyContainer, (() => MaybePromise<void>)[]>();

type Make<T> = (container: DependencyContainer) => T;
type Dispose<T> = (service: T) => MaybePromise<void>;

/** One instance for each container that resolves it: here, each incarnation of a task. */
function perTask<T>(job: DependencyContainer, token: InjectionToken<T>, make: Make<T>, dispose?: Dispose<T>): void {
  job.register(token, { useFactory: instancePerContainerCachingFactory(owner => made(owner, make(owner), dispose)) });
}

/** One instance for the job and all of its tasks. */
function perJob<T>(job: DependencyContainer, token: InjectionToken<T>, make: Make<T>, dispose?: Dispose<T>): void {
  job.register(token, { useFactory: instanceCachingFactory(() => made(job, make(job), dispose)) });
}

function made<T>(owner: DependencyContainer, service: T, dispose: Dispose<T> | undefined): T {
  if (dispose) disposals.get(owner)?.push(() => dispose(service));
  return service;
}

/** The services of a job, with the user's own in the place of those that they override. */
export function jobContainer(settings: ResolvedSettings): DependencyContainer {
  const container = rootContainer.createChildContainer();
  disposals.set(container, []);
  container.registerInstance(tokens.SETTINGS, settings);
  container.registerInstance(tokens.SCHEDULER, settings.scheduler ?? asyncScheduler);
  perJob(container, tokens.LOGGER, () => settings.logger ?? createLogger());
  perJob(container, tokens.MONOTONIC_CLOCK, of => {
    const { scheduler } = settings;
    return scheduler ? () => of.resolve(tokens.SCHEDULER).now() : () => performance.now();
  });
  container.registerInstance(tokens.RANDOM, Math.random);
  perJob(container, tokens.REGISTRY, () => new Registry());
  perJob(
    container,
    tokens.SNAPSHOT_STORE,
    () => settings.store ?? fileStore(defaultStoreDirectory),
    // A store that was handed in belongs to whoever made it.
    store => (settings.store ? undefined : store.close()),
  );
  perJob(container, tokens.OUTPUTS, of => new Outputs(of.resolve(tokens.LOGGER)));
  perTask(container, tokens.TASK_STORE, of => of.resolve(tokens.SNAPSHOT_STORE).task(of.resolve(tokens.TASK_REF)));
  perTask(
    container,
    tokens.SEGMENT_ENCODER,
    of => new SegmentEncoder(of.resolve(tokens.TASK_STORE), of.resolve(tokens.SCHEDULER), encoding(of)),
  );
  perTask(
    container,
    tokens.CHAIN_COMPACTOR,
    of => new ChainCompactor(of.resolve(tokens.TASK_STORE), of.resolve(tokens.LOGGER), encoding(of)),
    compactor => compactor.close(),
  );
  perTask(
    container,
    tokens.SHARED_SERVICES,
    of => {
      const wider = of.isRegistered(tokens.SHARED_BY_TASKS, true) ? of.resolve(tokens.SHARED_BY_TASKS).of : undefined;
      return new SharedServices(of.resolve(tokens.SCHEDULER), of.resolve(tokens.LOGGER), wider);
    },
    shared => shared.close(),
  );
  settings.overrides?.(container);
  return container;
}

/** A store that answers at once is written to at once, so that checkpoints run in virtual time. */
function encoding(container: DependencyContainer): EncoderOptions {
  const isSynchronous = container.resolve(tokens.SNAPSHOT_STORE).kind === 'memory';
  const { compression } = container.resolve(tokens.SETTINGS).checkpoint;
  return { compression: isSynchronous ? 'none' : compression, maxBytes: segmentBytes, isSynchronous };
}

/** The services of one incarnation of a task, in a child container of their own. */
export function taskContainer(job: DependencyContainer, ref: TaskRef): DependencyContainer {
  const container = job.createChildContainer();
  disposals.set(container, []);
  container.registerInstance(tokens.TASK_REF, ref);
  return container;
}

/** Adds what the tasks of a job share that run in this process. */
export function shareByTasks(job: DependencyContainer): void {
  perJob(
    job,
    tokens.SHARED_BY_TASKS,
    of => new SharedServices(of.resolve(tokens.SCHEDULER), of.resolve(tokens.LOGGER)),
    shared => shared.close(),
  );
}

/** The services of one of a job's tasks, over its incarnations: those of the job in this process, with outputs of its own. */
export function placedContainer(job: DependencyContainer, settings: ResolvedSettings): DependencyContainer {
  const container = job.createChildContainer();
  disposals.set(container, []);
  container.registerInstance(tokens.SETTINGS, settings);
  container.registerInstance(tokens.OUTPUTS, new Outputs(job.resolve(tokens.LOGGER)));
  return container;
}

/** What a task is put together from. */
export function taskServices(container: DependencyContainer, layout?: TaskLayout): TaskServices {
  const ref = container.resolve(tokens.TASK_REF);
  return {
    ref,
    layout,
    settings: container.resolve(tokens.SETTINGS),
    logger: container.resolve(tokens.LOGGER).child({ job: ref.job, task: ref.task }),
    scheduler: container.resolve(tokens.SCHEDULER),
    random: container.resolve(tokens.RANDOM),
    monotonicNow: container.resolve(tokens.MONOTONIC_CLOCK),
    store: container.resolve(tokens.TASK_STORE),
    verifyAlone: layout
      ? undefined
      : () => {
          const store = container.resolve(tokens.SNAPSHOT_STORE);
          return andThen(store.tasks(), refs => {
            const others = refs.some(({ job, task }) => job === ref.job && task !== ref.task);
            return others ? andThen(storedTasks(store, ref.job), stored => verifyAlone(ref, stored)) : undefined;
          });
        },
    areAllAtRest: layout && allAtRest(container.resolve(tokens.SNAPSHOT_STORE), ref.job, layout),
    commitPoint: container.isRegistered(tokens.COMMIT_POINT, true) ? container.resolve(tokens.COMMIT_POINT) : undefined,
    encoder: container.resolve(tokens.SEGMENT_ENCODER),
    compactor: container.resolve(tokens.CHAIN_COMPACTOR),
    outputs: container.resolve(tokens.OUTPUTS),
    shared: container.resolve(tokens.SHARED_SERVICES).of,
  };
}

/** Closes what the container's factories made, last made first, then what tsyringe itself made of a class for an override. */
export function closeContainer(container: DependencyContainer, onError: (message: string) => void): MaybePromise<void> {
  const closing = (disposals.get(container) ?? []).reverse();
  disposals.delete(container);
  const closed = (dispose: () => MaybePromise<void>) => attempt<void>(dispose, error => onError(messageOf(error)));
  return andThen(eachInOrder(closing, closed), () => {
    // Its dispose() is asynchronous even when it has nothing to do, which virtual time could not wait for.
    const { disposables } = container as unknown as { readonly disposables?: ReadonlySet<unknown> };
    if (disposables?.size !== 0) return closed(async () => container.dispose());
  });
}
