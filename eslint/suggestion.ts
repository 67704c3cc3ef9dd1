import type { Rule, SourceCode } from 'eslint';
import { nameOf } from './bindings.ts';
import type { Finding } from './findings.ts';
import type { Streams } from './streams.ts';
import { bare, is, type Node, type Of } from './syntax.ts';

const ours = 'tidemark/operators';

/** How a finding is rewritten to our operator of the same arguments, for a person to accept and to name. */
export interface Rewriting {
  readonly operator: string;
  readonly name: string;
  fix(fixer: Rule.RuleFixer): Rule.Fix[];
}

/** Nothing where no operator of ours takes the same arguments. */
export function rewritingOf(
  source: SourceCode,
  streams: Streams,
  { node, replacement }: Finding,
): Rewriting | undefined {
  const { namesake } = replacement;
  const { length } = node.arguments;
  if (!namesake || length < namesake.atLeast || length > namesake.atMost) return undefined;
  if (node.arguments.some(argument => argument.type === 'SpreadElement')) return undefined;
  const name = unusedName(source.text, namesake.name);
  return {
    operator: namesake.name,
    name,
    fix: fixer => {
      const { callee, edits } = imported(source, streams, node, namesake.name, fixer);
      const [first] = node.arguments;
      const opening = openingOf(source, node);
      return [
        ...edits,
        fixer.replaceTextRange(bare(node.callee).range, callee),
        ...(node.typeArguments ? [fixer.removeRange(node.typeArguments.range)] : []), // ours has others
        fixer.insertTextAfterRange([opening, opening + 1], first ? `'${name}', ` : `'${name}'`),
      ];
    },
  };
}

/** A name is given once in a job: one that the file says already gets a number. */
function unusedName(text: string, operator: string): string {
  const isUsed = (name: string) => new RegExp(`(['"\`])${name}\\1`).test(text);
  for (let i = 1; ; i++) {
    const name = i === 1 ? operator : `${operator}-${i}`;
    if (!isUsed(name)) return name;
  }
}

/** Where the bracket of a call's arguments opens. */
function openingOf(source: SourceCode, node: Of<'CallExpression'>): number {
  const from = node.typeArguments ?? node.callee;
  const token = source.getTokenAfter(from as never, { filter: ({ value }) => value === '(' });
  return token?.range[0] ?? from.range[1];
}

/** What our operator is called in this file, and the edits that import it. */
function imported(
  source: SourceCode,
  streams: Streams,
  node: Of<'CallExpression'>,
  operator: string,
  fixer: Rule.RuleFixer,
): { readonly callee: string; readonly edits: Rule.Fix[] } {
  const imports = (source.ast.body as unknown as Node[]).filter(
    (at): at is Of<'ImportDeclaration'> => is(at, 'ImportDeclaration') && at.importKind !== 'type',
  );
  const fromOurs = imports.filter(at => at.source.value === ours);
  for (const specifier of fromOurs.flatMap(at => at.specifiers)) {
    if (is(specifier, 'ImportNamespaceSpecifier'))
      return { callee: `${nameOf(specifier.local)}.${operator}`, edits: [] };
    if (
      is(specifier, 'ImportSpecifier') &&
      nameOf(specifier.imported) === operator &&
      specifier.importKind !== 'type'
    ) {
      return { callee: nameOf(specifier.local) ?? operator, edits: [] };
    }
  }

  const native = onlyUseOf(streams, node, imports);
  const isFree = native?.local === operator || isUnbound(source, streams, node, operator);
  const callee = isFree ? operator : `checkpointed${operator.slice(0, 1).toUpperCase()}${operator.slice(1)}`;
  const specifier = isFree ? operator : `${operator} as ${callee}`;
  const removal = native ? [removalOf(source, native.specifier, native.declaration, fixer)] : [];
  const last = fromOurs.flatMap(at => at.specifiers).findLast(at => is(at, 'ImportSpecifier'));
  if (last) return { callee, edits: [...removal, fixer.insertTextAfterRange(last.range, `, ${specifier}`)] };
  const statement = `import { ${specifier} } from '${ours}';`;
  const behind = imports.at(-1);
  // An import that held nothing else becomes ours, in its place.
  if (native && native.declaration.specifiers.length === 1) {
    return { callee, edits: [fixer.replaceTextRange(native.declaration.range, statement)] };
  }
  const addition = behind
    ? fixer.insertTextAfterRange(behind.range, `\n${statement}`)
    : fixer.insertTextBeforeRange([0, 0], `${statement}\n`);
  return { callee, edits: [...removal, addition] };
}

interface NativeImport {
  readonly local: string;
  readonly specifier: Node;
  readonly declaration: Of<'ImportDeclaration'>;
}

/** The import of the native operator, when nothing else in the file uses it. */
function onlyUseOf(
  streams: Streams,
  node: Of<'CallExpression'>,
  imports: readonly Of<'ImportDeclaration'>[],
): NativeImport | undefined {
  const callee = bare(node.callee);
  if (!is(callee, 'Identifier')) return undefined;
  const variable = streams.bindings.variable(callee);
  const specifier = variable?.defs[0]?.node as unknown as Node | undefined;
  const declaration = imports.find(at => specifier && at.specifiers.includes(specifier));
  if (variable?.references.length !== 1 || !specifier || !declaration) return undefined;
  return { local: callee.name, specifier, declaration };
}

function isUnbound(source: SourceCode, streams: Streams, node: Node, name: string): boolean {
  const isGlobal = source.scopeManager.globalScope?.set.has(name) ?? false;
  return !isGlobal && !streams.bindings.variable({ ...node, name });
}

/** Removes a specifier with the comma that belongs to it, or the whole import when it was the only one. */
function removalOf(
  source: SourceCode,
  specifier: Node,
  declaration: Of<'ImportDeclaration'>,
  fixer: Rule.RuleFixer,
): Rule.Fix {
  if (declaration.specifiers.length === 1) {
    const end = declaration.range[1];
    return fixer.removeRange([declaration.range[0], source.text[end] === '\n' ? end + 1 : end]);
  }
  const after = source.getTokenAfter(specifier as never);
  const next = after?.value === ',' ? source.getTokenAfter(after) : null;
  if (after?.value === ',' && next && next.value !== '}') return fixer.removeRange([specifier.range[0], next.range[0]]);
  const before = source.getTokenBefore(specifier as never);
  return fixer.removeRange([before?.range[0] ?? specifier.range[0], specifier.range[1]]);
}
