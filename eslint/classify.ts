import { type ArgumentKind, kindOfArguments } from './argument-kind.ts';
import { nameOf } from './bindings.ts';
import { classOf, likeOf, type NativeClass, nativeOperators } from './native-operators.ts';
import type { Streams } from './streams.ts';
import { is, isFunction, type Node } from './syntax.ts';

const forms = ['array', 'of', 'never', 'timer', 'interval', 'promise', 'async generator', 'stream'];
const alsoTakeObservables = ['expand', 'mergeScan', 'switchScan', 'bufferWhen', 'bufferToggle'];

/** Operators to which it matters what their arguments, or what these answer, are. */
const takeObservables: ReadonlySet<string> = new Set([
  ...Object.values(nativeOperators)
    .flat()
    .filter(row => forms.some(form => row.endsWith(`(${form})`)))
    .map(row => row.replace(/ \(.*/, '')),
  ...nativeOperators['combines streams'].map(row => row.replace(/ \(.*/, '')),
  ...alsoTakeObservables,
]);

/** The class of a call of a native operator, by the row of the table that fits its arguments. */
export function classify(streams: Streams, operator: string, args: readonly Node[]): NativeClass | undefined {
  const name = likeOf(operator);
  if (name === 'observeOn' || name === 'subscribeOn') return classOf(name, schedulerOf(streams, args)) ?? classOf(name);
  if (name === 'repeat' || name === 'retry') return classOf(name, hasDelay(args) ? 'delay' : undefined);
  if (name === 'catchError' && answersCaught(args)) return classOf(name, 'caught');
  if (!takeObservables.has(name)) return classOf(name);
  return byKind[kindOfArguments(streams, args)](name);
}

const byKind: Readonly<Record<ArgumentKind, (name: string) => NativeClass | undefined>> = {
  stream: () => 'combines streams',
  later: () => 'asynchronous',
  plain: name => firstClass(name, ['of', 'never', undefined, 'timer', 'interval']),
};

function firstClass(name: string, of: readonly (string | undefined)[]): NativeClass | undefined {
  for (const form of of) {
    const found = classOf(name, form);
    if (found !== undefined) return found;
  }
  return undefined;
}

function schedulerOf(streams: Streams, [scheduler]: readonly Node[]): string | undefined {
  const name = scheduler && streams.bindings.imported(scheduler)?.name;
  return name === 'queue' ? 'queueScheduler' : name;
}

function hasDelay([config]: readonly Node[]): boolean {
  const properties = is(config, 'ObjectExpression') ? config.properties : [];
  return properties.some(at => is(at, 'Property') && nameOf(at.key) === 'delay' && is(at.value, 'Literal'));
}

function answersCaught([handler]: readonly Node[]): boolean {
  return isFunction(handler) && handler.params.length > 1;
}
