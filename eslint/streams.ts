import { type Bindings, type Imported, nameOf } from './bindings.ts';
import { classOf, likeOf } from './native-operators.ts';
import { bare, type FunctionNode, is, isFunction, type Node, type Of, returnsOf } from './syntax.ts';

/** What is known of an expression that is a DataStream. */
export interface Stream {
  readonly isKeyed: boolean;
}

/** One operator of a chain: its call, and where the called function was imported from. */
export interface Step {
  readonly node: Node;
  readonly imported?: Imported | undefined;
}

/** Answers whether the type of an expression is a DataStream; only there with type information. */
export type TypeOracle = (node: Node) => Stream | undefined;

const typeWrappers = ['TSAsExpression', 'TSTypeAssertion'];

/** Recognises DataStreams and the operators on them, in one file, by where names come from. */
export class Streams {
  readonly bindings: Bindings;
  readonly #typed: TypeOracle | undefined;
  readonly #known = new Map<Node, Stream | undefined>();
  readonly #open = new Set<Node>();

  constructor(bindings: Bindings, typed?: TypeOracle) {
    this.bindings = bindings;
    this.#typed = typed;
  }

  streamOf(node: Node): Stream | undefined {
    const at = bare(node);
    if (this.#known.has(at)) return this.#known.get(at);
    this.#known.set(at, undefined); // of a name that stands for itself nothing is known
    const found = this.#bySyntax(at) ?? this.#typed?.(at);
    this.#known.set(at, found);
    return found;
  }

  /** The operators that an argument of `pipe` stands for: composites are taken apart. */
  stepsOf(node: Node): readonly Step[] {
    const at = bare(node);
    if (this.#open.has(at)) return [];
    this.#open.add(at);
    const steps = this.#steps(at);
    this.#open.delete(at);
    return steps;
  }

  /** The stream and the operators that a call puts behind it: `stream.pipe(a, b)` or `a(stream)`. */
  chainAt(call: Of<'CallExpression'>): { readonly stream: Stream; readonly steps: readonly Step[] } | undefined {
    const callee = bare(call.callee);
    if (is(callee, 'MemberExpression') && nameOf(callee.property) === 'pipe') {
      const stream = this.streamOf(callee.object);
      return stream && { stream, steps: call.arguments.flatMap(argument => this.stepsOf(argument)) };
    }
    const [input, ...others] = call.arguments;
    if (input === undefined || others.length > 0 || this.bindings.imported(callee)) return undefined;
    const steps = this.stepsOf(callee);
    const stream = steps.some(step => step.imported) ? this.streamOf(input) : undefined;
    return stream && { stream, steps };
  }

  /** The stream behind an operator. */
  after(stream: Stream, { imported }: Step): Stream {
    if (imported === undefined) return stream;
    const { module, name } = imported;
    if (module === 'tidemark/operators' && name === 'keyBy') return { isKeyed: true };
    if (module === 'tidemark' && name === 'rekey') return { isKeyed: true };
    const isAtEnd = module.startsWith('rxjs') && classOf(likeOf(name)) === 'emits at completion';
    return isAtEnd ? { isKeyed: false } : stream;
  }

  #bySyntax(at: Node): Stream | undefined {
    if (is(at, 'Identifier')) return this.#ofName(at);
    if (is(at, 'ConditionalExpression')) return this.streamOf(at.consequent) ?? this.streamOf(at.alternate);
    if (is(at, 'LogicalExpression')) return this.streamOf(at.left) ?? this.streamOf(at.right);
    if (is(at, 'CallExpression')) return this.#ofCall(at);
    if (!typeWrappers.includes(at.type)) return undefined;
    const cast = at as Of<'TSAsExpression'>;
    return this.#ofType(cast.typeAnnotation) ?? this.streamOf(cast.expression);
  }

  #ofCall(call: Of<'CallExpression'>): Stream | undefined {
    const callee = bare(call.callee);
    const imported = this.bindings.imported(callee);
    if (imported?.module === 'tidemark' && imported.name === 'from') return { isKeyed: false };
    if (imported?.module === 'tidemark/operators' && imported.name === 'union') {
      const isKeyed = call.arguments.every(input => this.streamOf(input)?.isKeyed === true);
      return { isKeyed: isKeyed && call.arguments.length > 0 };
    }
    if (imported?.module === 'tidemark/operators' && imported.name === 'connect') {
      const [, left] = call.arguments;
      return { isKeyed: left !== undefined && this.streamOf(left)?.isKeyed === true };
    }
    if (is(callee, 'MemberExpression') && nameOf(callee.property) === 'side') return this.streamOf(callee.object);
    const chain = this.chainAt(call);
    if (chain) return chain.steps.reduce((stream, step) => this.after(stream, step), chain.stream);
    const fn = this.bindings.functionOf(callee);
    return isFunction(fn) ? this.#returnedBy(fn) : undefined;
  }

  #returnedBy(fn: FunctionNode): Stream | undefined {
    if (fn.async || fn.generator) return undefined;
    return (fn.returnType && this.#ofType(fn.returnType)) ?? firstOf(returnsOf(fn), value => this.streamOf(value));
  }

  #ofName(identifier: Of<'Identifier'>): Stream | undefined {
    const [definition] = this.bindings.variable(identifier)?.defs ?? [];
    if (definition === undefined) return undefined;
    const declared = definition.name as unknown as Node;
    const annotation = is(declared, 'Identifier') ? declared.typeAnnotation : undefined;
    if (annotation) return this.#ofType(annotation);
    const fn = definition.node as unknown as Node;
    if (definition.type === 'Parameter')
      return isFunction(fn) ? this.#given(fn, fn.params.indexOf(declared)) : undefined;
    return firstOf(this.bindings.valuesOf(identifier), value => this.streamOf(value));
  }

  /** What a function's parameter is where it is called with a stream, or stands among the operators of one. */
  #given(fn: FunctionNode, index: number): Stream | undefined {
    return firstOf(this.#usesOf(fn), use => {
      const call = use.parent;
      if (!is(call, 'CallExpression')) return undefined;
      const argument = call.arguments[index];
      if (call.callee === use) return argument && this.streamOf(argument);
      const callee = bare(call.callee);
      if (index !== 0 || !is(callee, 'MemberExpression') || nameOf(callee.property) !== 'pipe') return undefined;
      const stream = this.streamOf(callee.object);
      const before = call.arguments.slice(0, call.arguments.indexOf(use)).flatMap(node => this.stepsOf(node));
      return stream && before.reduce((input, step) => this.after(input, step), stream);
    });
  }

  #usesOf(fn: FunctionNode): readonly Node[] {
    const owner = fn as Node & { readonly id?: Node | null };
    const declarator = fn.parent;
    const name = owner.id ?? (is(declarator, 'VariableDeclarator') ? declarator.id : undefined);
    const variable = is(name, 'Identifier') ? this.bindings.variable(name) : undefined;
    return [fn, ...(variable?.references ?? []).map(({ identifier }) => identifier as unknown as Node)];
  }

  #ofType(node: Node): Stream | undefined {
    if (is(node, 'TSTypeAnnotation')) return this.#ofType(node.typeAnnotation);
    if (!is(node, 'TSTypeReference')) return undefined;
    const imported = this.bindings.imported(node.typeName);
    if (imported?.module === 'tidemark' && imported.name === 'DataStream') {
      const key = is(node.typeArguments, 'TSTypeParameterInstantiation') ? node.typeArguments.params[1] : undefined;
      return { isKeyed: key !== undefined && key.type !== 'TSUndefinedKeyword' };
    }
    if (!is(node.typeName, 'Identifier')) return undefined;
    const alias = this.bindings.variable(node.typeName)?.defs[0]?.node as unknown as Node | undefined;
    return is(alias, 'TSTypeAliasDeclaration') ? this.#ofType(alias.typeAnnotation) : undefined;
  }

  #steps(at: Node): readonly Step[] {
    if (is(at, 'ConditionalExpression')) return [...this.stepsOf(at.consequent), ...this.stepsOf(at.alternate)];
    if (typeWrappers.includes(at.type)) return this.stepsOf((at as Of<'TSAsExpression'>).expression);
    if (is(at, 'Identifier')) {
      const steps = this.bindings.valuesOf(at).flatMap(value => this.stepsOf(value));
      return steps.length > 0 ? steps : [{ node: at }];
    }
    if (!is(at, 'CallExpression')) return [{ node: at }];
    const imported = this.bindings.imported(at.callee);
    if (imported?.name === 'pipe' && imported.module === 'rxjs')
      return at.arguments.flatMap(step => this.stepsOf(step));
    if (imported) return [{ node: at, imported }];
    const fn = this.bindings.functionOf(bare(at.callee));
    const steps = isFunction(fn) ? returnsOf(fn).flatMap(value => this.stepsOf(value)) : [];
    return steps.length > 0 ? steps : [{ node: at }];
  }
}

function firstOf<T, R>(items: readonly T[], look: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
