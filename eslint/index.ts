import type { ESLint, Linter } from 'eslint';
import { rules } from './rules.ts';

const plugin: ESLint.Plugin & { readonly configs: { readonly recommended: Linter.Config } } = {
  meta: { name: 'tidemark', namespace: 'tidemark' },
  rules: { ...rules },
  configs: {
    /** Every rule as an error: what they find loses or repeats records, or is refused when the job starts. */
    recommended: {
      name: 'tidemark/recommended',
      plugins: {},
      rules: Object.fromEntries(Object.keys(rules).map(name => [`tidemark/${name}`, 'error' as const])),
    },
  },
};
Object.assign(plugin.configs.recommended, { plugins: { tidemark: plugin } }); // the preset brings the plugin along

export default plugin;
