import type { IFlattenedRuleSet } from 'dependency-cruiser';

const shipped = '^(lib|operators|connectors|cli|eslint)/';
const written = '^(lib|operators|connectors|cli|eslint|samples)/';

/** Matches a package wherever it is resolved to, and also where it is not installed. */
const packages = (...names: string[]) => `(^|node_modules/)(${names.join('|')})(/|$)`;

/** The arrows between the folders: who may know whom. A rule forbids; its comment is what the offender is told. */
export const layers: IFlattenedRuleSet = {
  forbidden: [
    {
      name: 'lib-knows-nobody',
      comment: 'The runtime is below operators, connectors and the command: let them register with it instead.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(operators|connectors|cli|web|samples|tools|spec|bench)/' },
    },
    {
      name: 'lib-through-its-index',
      comment: 'Operators and connectors use what lib/index.ts exports, as an operator of a user would.',
      severity: 'error',
      from: { path: '^(operators|connectors)/' },
      to: { path: '^lib/', pathNot: '^lib/index\\.ts$' },
    },
    {
      name: 'operators-know-no-connector',
      comment: 'An operator must work with every connector.',
      severity: 'error',
      from: { path: '^operators/' },
      to: { path: '^(connectors|cli|web|samples|tools|spec|bench)/' },
    },
    {
      name: 'connectors-know-no-operator',
      comment: 'A connector must work with every operator.',
      severity: 'error',
      from: { path: '^connectors/' },
      to: { path: '^(operators|cli|web|samples|tools|spec|bench)/' },
    },
    {
      name: 'connectors-know-only-themselves',
      comment: 'A connector that leans on another one cannot be taken alone; what both need belongs in lib.',
      severity: 'error',
      from: { path: '^connectors/([^/]+)/' },
      to: { path: '^connectors/', pathNot: '^connectors/$1/' },
    },
    {
      name: 'kafkajs-only-in-connectors-kafka',
      comment: 'Whoever does not use Kafka must not load its client.',
      severity: 'error',
      from: { path: written, pathNot: '^connectors/kafka/' },
      to: { path: packages('kafkajs') },
    },
    {
      name: 'ioredis-only-in-connectors-redis',
      comment: 'Whoever does not use Redis must not load its client.',
      severity: 'error',
      from: { path: written, pathNot: '^connectors/redis/' },
      to: { path: packages('ioredis', 'redis') },
    },
    {
      name: 'wiring-only-in-composition',
      comment: 'Classes and functions get what they need as arguments; only lib/composition.ts knows the container.',
      severity: 'error',
      from: { path: written, pathNot: '^lib/(composition|tokens)\\.ts$' },
      to: { path: packages('tsyringe', 'reflect-metadata') },
    },
    {
      name: 'runtime-knows-no-testing',
      comment: 'lib/testing is for tests; what the runtime needs from it belongs beside the runtime.',
      severity: 'error',
      from: { path: shipped, pathNot: '^lib/testing/' },
      to: { path: '^lib/testing/' },
    },
    {
      name: 'eslint-known-by-nobody',
      comment: 'The lint rules look at code; nothing that runs may need them.',
      severity: 'error',
      from: { path: written, pathNot: '^eslint/' },
      to: { path: '^eslint/' },
    },
    {
      name: 'eslint-loads-nothing',
      comment:
        'The lint rules work on syntax alone: they must load without rxjs, without the runtime, and without ESLint.',
      severity: 'error',
      from: { path: '^eslint/' },
      to: { pathNot: '^eslint/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'shipped-code-has-its-dependencies',
      comment: 'What is installed with the package has to be a dependency or a peer in package.json.',
      severity: 'error',
      from: { path: shipped },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    },
    {
      name: 'no-cycles',
      comment: 'Modules that need each other at run time are one module, or a third is missing.',
      severity: 'error',
      from: { path: shipped },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere hides an arrow.',
      severity: 'error',
      from: { path: written },
      to: { couldNotResolve: true, pathNot: packages('kafkajs', 'ioredis', 'tsyringe') },
    },
  ],
};
