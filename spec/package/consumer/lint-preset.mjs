// Prints, as JSON, the rules that the preset turns on, each of which the plugin has to hold.
import assert from 'node:assert/strict';
import tidemark from 'tidemark/eslint';

const { plugins, rules } = tidemark.configs.recommended;
const names = Object.keys(rules);
assert.deepEqual(
  names.filter(name => typeof plugins.tidemark.rules[name.replace('tidemark/', '')]?.create !== 'function'),
  [],
);
console.log(JSON.stringify(names));
