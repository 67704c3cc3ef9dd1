import type { Scope, SourceCode } from 'eslint';
import { bare, is, isFunction, type Node } from './syntax.ts';

/** What a module exports under a name. */
export interface Imported {
  readonly module: string;
  readonly name: string;
}

/** Finds what names stand for in one file: imports, constants, functions, parameters. */
export class Bindings {
  readonly #source: SourceCode;

  constructor(source: SourceCode) {
    this.#source = source;
  }

  variable(identifier: Node & { readonly name: string }): Scope.Variable | undefined {
    let scope: Scope.Scope | null = this.#source.getScope(identifier as never);
    for (; scope !== null; scope = scope.upper) {
      const variable = scope.set.get(identifier.name);
      if (variable !== undefined) return variable;
    }
    return undefined;
  }

  /** What an identifier, `namespace.name` or `Namespace.Name` of a type was imported as. */
  imported(node: Node): Imported | undefined {
    const at = bare(node);
    if (is(at, 'Identifier')) {
      const [definition] = this.variable(at)?.defs ?? [];
      if (definition?.type !== 'ImportBinding') return undefined;
      const specifier = definition.node as unknown as Node;
      const name = is(specifier, 'ImportSpecifier') ? nameOf(specifier.imported) : undefined;
      return name === undefined ? undefined : { module: moduleOf(definition.parent), name };
    }
    const [namespace, member] = is(at, 'MemberExpression')
      ? [at.object, at.property]
      : is(at, 'TSQualifiedName')
        ? [at.left, at.right]
        : [];
    if (!is(namespace, 'Identifier') || (is(at, 'MemberExpression') && at.computed)) return undefined;
    const [definition] = this.variable(namespace)?.defs ?? [];
    if (definition?.type !== 'ImportBinding') return undefined;
    const name = nameOf(member);
    const isNamespace = is(definition.node as unknown as Node, 'ImportNamespaceSpecifier');
    return isNamespace && name !== undefined ? { module: moduleOf(definition.parent), name } : undefined;
  }

  /** The expressions that a variable may hold: what it is declared with, and what is assigned to it. */
  valuesOf(identifier: Node & { readonly name: string }): readonly Node[] {
    const variable = this.variable(identifier);
    const [definition] = variable?.defs ?? [];
    if (variable === undefined || definition?.type !== 'Variable') return [];
    const declarator = definition.node as unknown as Node;
    if (!is(declarator, 'VariableDeclarator') || !is(declarator.id, 'Identifier')) return [];
    return variable.references.flatMap(({ writeExpr }) => (writeExpr ? [writeExpr as unknown as Node] : []));
  }

  /** The function that a callee names in the same file. */
  functionOf(callee: Node): Node | undefined {
    if (!is(callee, 'Identifier')) return isFunction(callee) ? callee : undefined;
    const [definition] = this.variable(callee)?.defs ?? [];
    if (definition?.type === 'FunctionName') return definition.node as unknown as Node;
    return this.valuesOf(callee).find(isFunction);
  }
}

export function nameOf(node: Node | undefined): string | undefined {
  if (is(node, 'Identifier')) return node.name;
  return is(node, 'Literal') && typeof node.value === 'string' ? node.value : undefined;
}

function moduleOf(declaration: unknown): string {
  const { source } = declaration as { readonly source?: { readonly value?: unknown } };
  return typeof source?.value === 'string' ? source.value : '';
}
