import { Counter, Gauge, Registry } from 'prom-client';
import { mergedMetrics } from './merged-metrics.ts';

export interface MeasuredWorker {
  readonly name: string;
  readonly isUp: boolean;
  /** The Prometheus text of its metrics. */
  metrics(): Promise<string>;
}

/** The metrics of all workers, read from them when somebody asks, and of their supervision. */
export class WorkersRegistry extends Registry {
  readonly #workers: () => readonly MeasuredWorker[];
  readonly #restarts: Counter;
  readonly #job: string;

  constructor(job: string, workers: () => readonly MeasuredWorker[]) {
    super();
    this.#job = job;
    this.#workers = workers;
    const labelNames = ['job_name', 'worker'];
    this.#restarts = new Counter({
      registers: [this],
      name: 'tidemark_worker_restarts_total',
      help: 'Restarts of a worker that has died.',
      labelNames,
    });
    new Gauge({
      registers: [this],
      name: 'tidemark_worker_up',
      help: 'Whether the process of a worker runs.',
      labelNames,
      collect() {
        for (const { name, isUp } of workers()) this.set({ job_name: job, worker: name }, isUp ? 1 : 0);
      },
    });
    for (const { name } of workers()) this.#restarts.inc({ job_name: job, worker: name }, 0);
  }

  restarted(worker: string): void {
    this.#restarts.inc({ job_name: this.#job, worker });
  }

  /** One that does not answer in time is left out. */
  override async metrics(): Promise<string> {
    const live = this.#workers().filter(({ isUp }) => isUp);
    const texts = await Promise.allSettled(live.map(worker => worker.metrics()));
    const told = texts.flatMap((text, index) =>
      text.status === 'fulfilled' ? { worker: live[index]?.name ?? '', text: text.value } : [],
    );
    return `${await super.metrics()}\n${mergedMetrics(told)}`;
  }
}
