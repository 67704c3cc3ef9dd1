import { isObservable, type Observable } from 'rxjs';
import { JobDefinitionError } from '../errors.ts';
import { iterableSource } from './iterable-source.ts';
import { observableSource } from './observable-source.ts';
import type { Overflow } from './overflow-buffer.ts';
import type { Source } from './source.ts';

export type { Overflow } from './overflow-buffer.ts';

export interface PlainSourceOptions {
  readonly buffer?: Overflow;
  readonly name?: string;
}

const overflows: readonly unknown[] = ['error', 'drop-oldest', 'drop-newest'] satisfies Overflow['when'][];

/** The source itself when it is a connector's; an adapter around an Observable or an async iterable. */
export function adaptSource<T>(
  source: Source<T> | Observable<T> | AsyncIterable<T>,
  { buffer, name }: PlainSourceOptions,
): Source<T> {
  if (buffer !== undefined && !isObservable(source)) {
    throw new JobDefinitionError('from(): "buffer" is for Observables; other sources are paused and need none.');
  }
  if (isObservable(source)) return observableSource(source, name ?? 'observable', verified(buffer));
  if (isAsyncIterable(source)) return iterableSource(source, name ?? 'iterable');
  if (isSource(source)) return name === undefined || name === source.name ? source : renamed(source, name);
  throw new JobDefinitionError(
    'from() takes a source of a connector, an Observable or an async iterable; make an Observable of an array with from() of RxJS.',
  );
}

function verified(buffer: Overflow = { size: 1_000, when: 'error' }): Overflow {
  if (Number.isSafeInteger(buffer.size) && buffer.size >= 0 && overflows.includes(buffer.when)) return buffer;
  throw new JobDefinitionError(
    `from(): "buffer" is { size: ${buffer.size}, when: '${buffer.when}' }, but size must be a whole number from 0, and when one ` +
      `of ${overflows.join(', ')}.`,
  );
}

function isAsyncIterable<T>(source: Source<T> | AsyncIterable<T>): source is AsyncIterable<T> {
  return typeof source === 'object' && source !== null && Symbol.asyncIterator in source;
}

function isSource<T>(source: Source<T> | undefined | null): source is Source<T> {
  return typeof source?.open === 'function';
}

function renamed<T>(source: Source<T>, name: string): Source<T> {
  // The methods are those of the source itself, which may have private fields.
  return Object.create(source, {
    name: { value: name, enumerable: true },
    open: { value: source.open.bind(source) },
    ...(source.check && { check: { value: source.check.bind(source) } }),
  }) as Source<T>;
}
