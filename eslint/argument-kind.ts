import { nameOf } from './bindings.ts';
import { classOf, likeOf } from './native-operators.ts';
import type { Streams } from './streams.ts';
import { bare, is, isFunction, type Node, returnsOf } from './syntax.ts';

/** What an operator is given, or its function answers: another stream, something that emits later, or neither. */
export type ArgumentKind = 'stream' | 'later' | 'plain';

const laterFunctions = new Set([
  'timer',
  'interval',
  'animationFrames',
  'fromEvent',
  'fromEventPattern',
  'bindCallback',
  'bindNodeCallback',
  'firstValueFrom',
  'lastValueFrom',
]);
const wrappingFunctions = new Set(['from', 'defer', 'merge', 'concat', 'race', 'zip', 'combineLatest', 'forkJoin']);
const laterSchedulers = new Set(['asyncScheduler', 'asapScheduler', 'animationFrameScheduler', 'async', 'asap']);

/** Tells what the arguments of an operator are, by the worst of them. */
export function kindOfArguments(streams: Streams, args: readonly Node[]): ArgumentKind {
  const kinds = args.map(argument => kindOf(streams, argument, new Set()));
  return kinds.find(kind => kind === 'stream') ?? kinds.find(kind => kind === 'later') ?? 'plain';
}

function kindOf(streams: Streams, node: Node, seen: Set<Node>): ArgumentKind {
  const at = bare(node);
  if (seen.has(at)) return 'plain';
  seen.add(at);
  const worst = (nodes: readonly Node[]): ArgumentKind => {
    const kinds = nodes.map(inner => kindOf(streams, inner, seen));
    return kinds.find(kind => kind === 'stream') ?? kinds.find(kind => kind === 'later') ?? 'plain';
  };
  if (streams.streamOf(at)) return 'stream';
  if (isFunction(at)) return at.async ? 'later' : at.generator ? 'plain' : worst(returnsOf(at));
  if (is(at, 'Identifier')) return isLaterName(streams, at) ? 'later' : worst(referents(streams, at));
  if (is(at, 'ConditionalExpression')) return worst([at.consequent, at.alternate]);
  if (is(at, 'LogicalExpression')) return worst([at.left, at.right]);
  if (is(at, 'NewExpression')) return nameOf(at.callee) === 'Promise' ? 'later' : 'plain';
  if (is(at, 'MemberExpression')) return isLaterName(streams, at) ? 'later' : 'plain';
  if (!is(at, 'CallExpression')) return 'plain';

  const callee = bare(at.callee);
  const imported = streams.bindings.imported(callee);
  if (imported?.module.startsWith('rxjs/') && /^(ajax|fromFetch|webSocket)$/.test(imported.name)) return 'later';
  if (imported?.module === 'rxjs') {
    if (laterFunctions.has(imported.name)) return 'later';
    return wrappingFunctions.has(imported.name) ? worst(at.arguments) : 'plain';
  }
  if (is(callee, 'MemberExpression')) {
    const method = nameOf(callee.property);
    const isPromise = is(callee.object, 'Identifier') && callee.object.name === 'Promise';
    if (isPromise || method === 'then') return 'later';
    if (method !== 'pipe') return 'plain';
    const steps = at.arguments.flatMap(argument => streams.stepsOf(argument));
    const waits = steps.some(
      step => step.imported?.module.startsWith('rxjs') && classOf(likeOf(step.imported.name)) === 'asynchronous',
    );
    return waits ? 'later' : worst([callee.object]);
  }
  if (is(callee, 'Identifier') && callee.name === 'fetch' && !streams.bindings.variable(callee)?.defs.length)
    return 'later';
  const fn = streams.bindings.functionOf(callee);
  return fn ? worst([fn]) : 'plain';
}

function isLaterName(streams: Streams, node: Node): boolean {
  const imported = streams.bindings.imported(node);
  if (imported) return imported.module === 'rxjs' && laterSchedulers.has(imported.name);
  const [definition] = (is(node, 'Identifier') && streams.bindings.variable(node)?.defs) || [];
  const declared = definition?.name as unknown as Node | undefined;
  const annotation = is(declared, 'Identifier') ? declared.typeAnnotation : undefined;
  const type = is(annotation, 'TSTypeAnnotation') ? annotation.typeAnnotation : undefined;
  return is(type, 'TSTypeReference') && ['Promise', 'PromiseLike'].includes(nameOf(type.typeName) ?? '');
}

function referents(streams: Streams, identifier: Node & { readonly name: string }): readonly Node[] {
  const fn = streams.bindings.functionOf(identifier);
  return fn ? [fn] : streams.bindings.valuesOf(identifier);
}
