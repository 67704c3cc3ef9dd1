// What `npm run lint` holds our own samples to, with the rules that users get as tidemark/eslint.
import * as parser from '@typescript-eslint/parser';

import tidemark from '../../eslint/index.ts';

export default [
  {
    ...tidemark.configs.recommended,
    files: ['**/*.ts'],
    languageOptions: { parser, parserOptions: { projectService: true } },
  },
];
