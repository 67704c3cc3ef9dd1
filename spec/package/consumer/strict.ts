// A strict TypeScript project that has installed the package: type-checked as `nodenext` and as `bundler`, then run.
import * as tidemark from 'tidemark';

const names: readonly string[] = Object.keys(tidemark);
console.log(`used from TypeScript: ${names.length} names`);
