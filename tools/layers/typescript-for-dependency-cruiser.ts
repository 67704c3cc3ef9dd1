import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

// TypeScript 7 is native and has no JavaScript API yet. dependency-cruiser needs one to read TypeScript, and asks for
// the package by name: it gets the TypeScript 6 that is installed beside this file, which nobody else can see.
const { resolve } = createRequire(import.meta.url);
const substitutes = new Map([
  ['typescript', { url: pathToFileURL(resolve('typescript')).href, format: 'commonjs' }],
  ['typescript/package.json', { url: pathToFileURL(resolve('typescript/package.json')).href, format: 'json' }],
]);

registerHooks({
  resolve: (specifier, context, next) => {
    const asker = context.parentURL ?? '';
    const substitute = asker.includes('/dependency-cruiser/') ? substitutes.get(specifier) : undefined;
    return substitute === undefined ? next(specifier, context) : { ...substitute, shortCircuit: true };
  },
});
