import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

// What typescript-eslint leans on is installed beside the repository's TypeScript 7, which has no JavaScript API yet,
// and would find that one: it gets the TypeScript 6 that is installed beside this file.
const { resolve } = createRequire(import.meta.url);
const substitute = { url: pathToFileURL(resolve('typescript')).href, format: 'commonjs', shortCircuit: true };

registerHooks({
  resolve: (specifier, context, next) => {
    const isAsked = specifier === 'typescript' && (context.parentURL ?? '').includes('/ts-api-utils/');
    return isAsked ? substitute : next(specifier, context);
  },
});
