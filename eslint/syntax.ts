/** A node of the syntax tree of any parser, as far as the rules look at it. */
export interface Node {
  readonly type: string;
  readonly range: [number, number];
  readonly parent?: Node;
}

/** The members of the nodes that the rules look into. */
interface Shapes {
  Identifier: { readonly name: string; readonly typeAnnotation?: Node };
  Literal: { readonly value: unknown };
  CallExpression: { readonly callee: Node; readonly arguments: readonly Node[]; readonly typeArguments?: Node };
  NewExpression: { readonly callee: Node; readonly arguments: readonly Node[] };
  MemberExpression: { readonly object: Node; readonly property: Node; readonly computed: boolean };
  ConditionalExpression: { readonly consequent: Node; readonly alternate: Node };
  LogicalExpression: { readonly left: Node; readonly right: Node };
  ArrowFunctionExpression: FunctionShape;
  FunctionExpression: FunctionShape;
  FunctionDeclaration: FunctionShape;
  BlockStatement: { readonly body: readonly Node[] };
  VariableDeclarator: { readonly id: Node; readonly init: Node | null };
  ObjectExpression: { readonly properties: readonly Node[] };
  Property: { readonly key: Node; readonly value: Node };
  ImportDeclaration: {
    readonly source: { readonly value: unknown; readonly range: [number, number] };
    readonly specifiers: readonly Node[];
    readonly importKind?: 'type' | 'value';
  };
  ImportSpecifier: { readonly imported: Node; readonly local: Node; readonly importKind?: 'type' | 'value' };
  ImportNamespaceSpecifier: { readonly local: Node };
  TSTypeAnnotation: { readonly typeAnnotation: Node };
  TSTypeReference: { readonly typeName: Node; readonly typeArguments?: Node };
  TSTypeParameterInstantiation: { readonly params: readonly Node[] };
  TSQualifiedName: { readonly left: Node; readonly right: Node };
  TSTypeAliasDeclaration: { readonly typeAnnotation: Node };
  TSAsExpression: { readonly expression: Node; readonly typeAnnotation: Node };
}

interface FunctionShape {
  readonly params: readonly Node[];
  readonly body: Node;
  readonly async: boolean;
  readonly generator: boolean;
  readonly returnType?: Node;
}

export type Of<T extends keyof Shapes> = Node & Shapes[T];
export type FunctionNode = Node & FunctionShape;

export function is<T extends keyof Shapes>(node: Node | null | undefined, type: T): node is Of<T> {
  return node?.type === type;
}

export function isFunction(node: Node | null | undefined): node is FunctionNode {
  return is(node, 'ArrowFunctionExpression') || is(node, 'FunctionExpression') || is(node, 'FunctionDeclaration');
}

/** The expression without what TypeScript and `?.` put around it; a cast to a type is kept. */
export function bare(node: Node): Node {
  const wrappers = ['TSNonNullExpression', 'TSSatisfiesExpression', 'ChainExpression', 'ParenthesizedExpression'];
  return wrappers.includes(node.type) ? bare((node as Node & { expression: Node }).expression) : node;
}

/** What a function may return, nested functions aside. */
export function returnsOf(fn: FunctionNode): readonly Node[] {
  if (!is(fn.body, 'BlockStatement')) return [fn.body];
  const found: Node[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (typeof value !== 'object' || value === null || !('type' in value)) return;
    const node = value as Node & { readonly argument?: Node | null };
    if (isFunction(node)) return;
    if (node.type === 'ReturnStatement' && node.argument) found.push(node.argument);
    for (const [name, child] of Object.entries(node)) if (name !== 'parent') visit(child);
  };
  visit(fn.body);
  return found;
}
