// What `npm run lint` holds our own samples to, with the rules that users get as tidemark/eslint.

import tidemark from '../../eslint/index.ts';
import { parser } from './parser.ts';

export default [
  {
    ...tidemark.configs.recommended,
    files: ['**/*.ts'],
    languageOptions: { parser, parserOptions: { projectService: true } },
  },
];
