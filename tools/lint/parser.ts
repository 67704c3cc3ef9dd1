import './typescript-for-eslint.ts';
import { createRequire } from 'node:module';
import type { Linter } from 'eslint';

/** typescript-eslint's parser, on the TypeScript that it needs. */
export const parser: Linter.Parser = createRequire(import.meta.url)('@typescript-eslint/parser');
