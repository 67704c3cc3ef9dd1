import {
  concat,
  defer,
  distinctUntilChanged,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type Observable,
  Subject,
  tap,
} from 'rxjs';
import type { JobHandle } from 'tidemark';
import { type Alert, alerts, type Mean, means, type SensorTotals, totals } from './job.ts';

/** What a page is told; `event` is what it listens to. */
export type PageEvent =
  | { readonly event: 'totals'; readonly data: SensorTotals }
  /** How many readings of a sensor a checkpoint covers. */
  | { readonly event: 'saved'; readonly data: { readonly sensor: string; readonly readings: number } }
  | { readonly event: 'mean'; readonly data: { readonly sensor: string; readonly celsius: number } }
  | { readonly event: 'alert'; readonly data: Alert };

const keptAlerts = 20;

/** What the app knows of the results of its job, for pages that come later; it follows the job while it is subscribed. */
export class Board {
  readonly #rows = new Map<string, Map<PageEvent['event'], PageEvent>>();
  #alerts: readonly PageEvent[] = [];
  readonly #changes = new Subject<PageEvent>();

  /** How everything is now, then each change. */
  readonly events$: Observable<PageEvent> = defer(() =>
    concat(from([...this.#rows.values()].flatMap(row => [...row.values()])), from(this.#alerts), this.#changes),
  );

  /** Takes over the results of a job; never emits, and completes with the job. */
  follow(handle: JobHandle): Observable<never> {
    // Totals are shown as they come. What a checkpoint covers, and alerts, are told once, and never again after a crash.
    const results = merge(
      handle.output(totals).pipe(tap(data => this.#show(data.sensor, { event: 'totals', data }))),
      handle
        .output(totals, { committed: true })
        .pipe(tap(({ sensor, readings }) => this.#show(sensor, { event: 'saved', data: { sensor, readings } }))),
      handle.output(means).pipe(tap(mean => this.#show(String(mean.key), meanEvent(mean)))),
      handle.output(alerts, { committed: true }).pipe(tap(alert => this.#raise(alert))),
    );
    const restores = handle.status$.pipe(
      map(({ phase }) => phase),
      distinctUntilChanged(),
      mergeMap(async phase => {
        if (phase === 'restarting') this.#rows.clear();
        // A job that ends meanwhile answers no more.
        if (phase === 'running') await this.#load(handle).catch(() => {});
      }),
    );
    return merge(results, restores).pipe(ignoreElements());
  }

  /** Tells all pages that nothing more will come. */
  close(): void {
    this.#changes.complete();
  }

  /** Asks for the totals with which the job came back from its checkpoint. */
  async #load(handle: JobHandle): Promise<void> {
    const names = (await handle.ask<ReadonlySet<string>>('sensors')) ?? new Set();
    await Promise.all(
      [...names].map(async sensor => {
        const data = await handle.ask<SensorTotals>('totals', sensor);
        // A reading that came in the meantime has told more.
        if (data === undefined || this.#rows.get(sensor)?.has('totals')) return;
        this.#show(sensor, { event: 'totals', data });
        this.#show(sensor, { event: 'saved', data: { sensor, readings: data.readings } });
      }),
    );
  }

  #show(sensor: string, event: PageEvent): void {
    const row = this.#rows.get(sensor) ?? new Map();
    this.#rows.set(sensor, row.set(event.event, event));
    this.#changes.next(event);
  }

  #raise(data: Alert): void {
    const event: PageEvent = { event: 'alert', data };
    this.#alerts = [...this.#alerts, event].slice(-keptAlerts);
    this.#changes.next(event);
  }
}

const meanEvent = ({ key, value }: Mean): PageEvent => ({
  event: 'mean',
  data: { sensor: String(key), celsius: Math.round(value * 10) / 10 },
});
