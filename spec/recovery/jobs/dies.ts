import { type JobSettings, type TaskStore, tokens } from 'tidemark';
import { type DependencyContainer, instancePerContainerCachingFactory } from 'tsyringe';

/** SIGKILL to this process before or after the n-th call of a step, counted over all of its tasks. */
export interface Death {
  readonly step: 'putSegment' | 'prepare' | 'confirm';
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** The settings of a job whose process is gone in the middle of a checkpoint. */
export function dying(death: Death | undefined): Pick<JobSettings, 'overrides'> {
  if (!death) return {};
  let calls = 0;
  const mortal = (store: TaskStore): TaskStore =>
    new Proxy(store, {
      get(target, name: keyof TaskStore) {
        const method = target[name] as (...args: unknown[]) => unknown;
        if (name !== death.step) return method.bind(target);
        return async (...args: unknown[]) => {
          const isNow = ++calls === death.call;
          if (isNow && death.when === 'before') process.kill(process.pid, 'SIGKILL');
          const answer = await method.apply(target, args);
          if (isNow) process.kill(process.pid, 'SIGKILL');
          return answer;
        };
      },
    });
  return {
    overrides(container: DependencyContainer) {
      container.register(tokens.TASK_STORE, {
        useFactory: instancePerContainerCachingFactory(of =>
          mortal(of.resolve(tokens.SNAPSHOT_STORE).task(of.resolve(tokens.TASK_REF))),
        ),
      });
    },
  };
}
