// Plants faults, one after another, each in a copy of the tree, and says which specs notice it. Ends with 1 when one is not
// noticed. Usage: node tools/plant/main.ts [--only=<part of a fault's name>] [spec folder or file]…   (default: those that run
// in virtual time). Specs that need services get what KAFKA_BROKERS and REDIS_URL name, or services of their own.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Plant, plants } from './plants.ts';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const root = path.resolve(import.meta.dirname, '../..');
const { values, positionals: given } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true });
const inVirtualTime = [
  ...['spec/checkpoint', 'spec/task', 'spec/actor', 'spec/stream', 'spec/operators'],
  ...['spec/connectors/memory', 'spec/connectors/kafka/commit', 'spec/connectors/kafka/sink'],
];
const specs = given.length > 0 ? given : inVirtualTime;
const hasServices = specs.some(spec => /^spec\/(services|recovery)/.test(spec));
const chosen = plants.filter(
  ({ name, needsServices }) => name.includes(values.only ?? '') && (hasServices || !needsServices),
);
if (chosen.length === 0) throw new Error(`No fault that these specs can notice has "${values.only}" in its name.`);
/** Specs that are named for each fault; any may notice it. */
const shown = 40;

// Left out: what is installed, built or put out.
const leftOut = new Set(['node_modules', '.git', 'dist', 'out', '.tidemark']);

const copy = mkdtempSync(path.join(tmpdir(), 'tidemark-plant-'));
try {
  for (const part of readdirSync(root).filter(name => !leftOut.has(name))) {
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  const unplanted = failures();
  if (unplanted.length > 0) throw new Error(`Specs fail without any fault:\n${unplanted.join('\n')}`);
  for (const plant of chosen) {
    const noticed = withPlant(plant, failures);
    console.log(`\n${plant.name}: ${noticed.length === 0 ? 'NOT NOTICED' : `noticed by ${noticed.length} specs`}`);
    for (const spec of noticed.slice(0, shown)) console.log(`  ${spec}`);
    if (noticed.length > shown) console.log(`  and ${noticed.length - shown} more`);
    if (noticed.length === 0) process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function withPlant<R>({ name, file, from, to }: Plant, work: () => R): R {
  const planted = path.join(copy, file);
  const text = readFileSync(planted, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} has changed: "${name}" cannot be planted any more.`);
  writeFileSync(
    planted,
    text.replace(from, () => to),
  );
  try {
    return work();
  } finally {
    writeFileSync(planted, text);
  }
}

/** The specs that fail in the copy as it is. */
function failures(): string[] {
  const report = path.join(copy, 'report.json');
  const run = spawnSync(
    process.execPath,
    [
      path.join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project=unit',
      ...(hasServices ? ['--project=services'] : []),
      '--reporter=json',
      `--outputFile=${report}`,
      ...specs,
    ],
    { cwd: copy, encoding: 'utf8' },
  );
  if (run.error) throw run.error;
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  rmSync(report);
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => `${path.relative(copy, name)}: ${fullName}`),
  );
}
