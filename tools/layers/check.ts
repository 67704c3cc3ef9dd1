// `npm run layers [folder]`: every import of the source, type imports included, against the rules of the layers.
import './typescript-for-dependency-cruiser.ts';
import { globSync } from 'node:fs';
import path from 'node:path';
import type { ICruiseResult } from 'dependency-cruiser';
import { layers } from './rules.ts';

const root = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '../..'));
const folders = ['lib', 'operators', 'connectors', 'cli', 'eslint', 'samples'];
const sources = globSync(`{${folders.join(',')}}/**/*.ts`, { cwd: root }).map(file => file.replaceAll(path.sep, '/'));

const { cruise } = await import('dependency-cruiser'); // only now: it looks for a TypeScript when it is loaded
const { output } = await cruise(
  folders.filter(folder => sources.some(file => file.startsWith(`${folder}/`))),
  {
    baseDir: root,
    ruleSet: layers,
    validate: true,
    parser: 'tsc',
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(out|\\.tidemark)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['tidemark-dev', 'import', 'node', 'default', 'types'],
    },
  },
);
if (typeof output === 'string') throw new Error(`dependency-cruiser gave text instead of a result: ${output}`);

const { complaints, arrows } = judge(output);
for (const complaint of complaints) console.error(complaint);
console.log(`Layers: ${complaints.length} violations in ${sources.length} modules with ${arrows} imports.`);
process.exitCode = complaints.length > 0 ? 1 : 0;

function judge({ modules, summary }: ICruiseResult): { readonly complaints: string[]; readonly arrows: number } {
  const complaints = summary.violations.map(({ rule, from, to, cycle }) => {
    const through = cycle === undefined ? to : cycle.map(step => step.name).join(' -> ');
    const comment = layers.forbidden?.find(({ name }) => name === rule.name)?.comment;
    return `${rule.name}: ${from} -> ${through}\n  ${comment ?? ''}`;
  });
  // A check that sees nothing finds nothing: every source has to be there, and so have its type imports.
  const read = new Map(modules.map(module => [module.source, module.dependencies]));
  const unread = sources.filter(file => !read.has(file));
  if (sources.length === 0) complaints.push(`nothing-checked: there is no TypeScript under ${root}.`);
  if (unread.length > 0) complaints.push(`not-read: ${unread.length} modules were passed over: ${unread.join(', ')}`);
  const dependencies = sources.flatMap(file => read.get(file) ?? []);
  if (!dependencies.some(({ dependencyTypes }) => dependencyTypes.includes('type-only'))) {
    complaints.push('types-not-read: no type import was seen; has dependency-cruiser found its TypeScript?');
  }
  return { complaints, arrows: dependencies.length };
}
