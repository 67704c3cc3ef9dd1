import type { SourceCode } from 'eslint';
import { Bindings } from './bindings.ts';
import { classify } from './classify.ts';
import { joiningFunctions, likeOf, type NativeClass } from './native-operators.ts';
import { type Replacement, replacementOf } from './replacements.ts';
import { Streams } from './streams.ts';
import { is, isFunction, type Node, type Of } from './syntax.ts';
import { typeOracle } from './type-oracle.ts';

/** A native operator, or a function that joins Observables, on a stream. */
export interface Finding {
  readonly node: Of<'CallExpression'>;
  readonly operator: string;
  readonly nativeClass: NativeClass;
  /** Whether the stream has a key there, so that an actor would have a state for each. */
  readonly isKeyed: boolean;
  readonly replacement: Replacement;
}

const ofFiles = new WeakMap<SourceCode, Streams>();

/** What the rules of one file share: each expression is looked at once. */
export function streamsOf(source: SourceCode): Streams {
  const known = ofFiles.get(source);
  if (known) return known;
  const streams = new Streams(new Bindings(source), typeOracle(source.parserServices));
  ofFiles.set(source, streams);
  return streams;
}

/** The native operators that a call puts behind a stream. */
export function findingsAt(streams: Streams, call: Of<'CallExpression'>): readonly Finding[] {
  const imported = streams.bindings.imported(call.callee);
  if (imported) {
    const joins = imported.module === 'rxjs' && joiningFunctions.has(imported.name) && takesStream(streams, call);
    return joins ? [finding(call, imported.name, 'combines streams', false)] : [];
  }
  const chain = streams.chainAt(call);
  if (!chain) return [];
  const found: Finding[] = [];
  let stream = chain.stream;
  for (const step of chain.steps) {
    const isNative = step.imported?.module === 'rxjs' || step.imported?.module === 'rxjs/operators';
    if (isNative && step.imported && is(step.node, 'CallExpression')) {
      const nativeClass = classify(streams, step.imported.name, step.node.arguments);
      if (nativeClass) found.push(finding(step.node, step.imported.name, nativeClass, stream.isKeyed));
    }
    stream = streams.after(stream, step);
  }
  return found;
}

function finding(node: Of<'CallExpression'>, operator: string, nativeClass: NativeClass, isKeyed: boolean): Finding {
  const replacement = mapAsyncWhereItFits(node, replacementOf(likeOf(operator), nativeClass), likeOf(operator));
  return { node, operator, nativeClass, isKeyed, replacement };
}

/** `mapAsync` takes what `mergeMap` does when that is one async function of the value alone. */
function mapAsyncWhereItFits(node: Of<'CallExpression'>, replacement: Replacement, operator: string): Replacement {
  const [callback] = node.arguments;
  const isMapping = operator === 'mergeMap' || operator === 'concatMap';
  const isAlone = isFunction(callback) && callback.async && !callback.generator && callback.params.length <= 1;
  if (!isMapping || !isAlone || !replacement.advice.includes('mapAsync')) return replacement;
  return { ...replacement, namesake: { name: 'mapAsync', atLeast: 1, atMost: 1 } };
}

/** Whether a stream is among the arguments, also in an array or an object of them. */
function takesStream(streams: Streams, call: Of<'CallExpression'>): boolean {
  const inputs = call.arguments.flatMap(argument => {
    if (is(argument, 'ObjectExpression')) return argument.properties.map(at => (is(at, 'Property') ? at.value : at));
    const { elements } = argument as Node & { readonly elements?: readonly (Node | null)[] };
    return argument.type === 'ArrayExpression' ? (elements ?? []) : [argument];
  });
  return inputs.some(input => input && streams.streamOf(input));
}
