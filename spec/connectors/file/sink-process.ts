// A process that the spec kills: checkpoints lines into a file, with a small file as its commit point.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileSink } from '../../../connectors/file/index.ts';
import { type Committed, SinkProbe } from '../../contract/sink-probe.ts';

interface Decided extends Committed {
  /** Lines that the checkpoint and those before it hold. */
  readonly lines: number;
}

const [path = '', commitPoint = '', checkpoints = '0'] = process.argv.slice(2);
const decided = existsSync(commitPoint) ? (JSON.parse(readFileSync(commitPoint, 'utf8')) as Decided) : undefined;
const tokens = `${commitPoint}.token`;
const token = (existsSync(tokens) ? Number(readFileSync(tokens, 'utf8')) : 0) + 1;
write(tokens, String(token));

const probe = await SinkProbe.open(fileSink<{ n: number; text: string }>({ path }), token, decided);
let lines = decided?.lines ?? 0;
const recovered = readFileSync(path, 'utf8');
if (recovered !== textOf(lines)) {
  process.stderr.write(`after recovery ${recovered.length} characters are visible, ${textOf(lines).length} expected\n`);
  process.exit(3);
}
process.stdout.write('recovered\n');
for (let id = (decided?.id ?? 0) + 1; id <= Number(checkpoints); id++) {
  for (let count = 0; count < 400; count++) probe.write(lineOf(lines++));
  const prepared = await probe.prepare(id);
  write(commitPoint, JSON.stringify({ ...prepared, lines } satisfies Decided));
  await probe.commit(prepared);
}
await probe.close();

function lineOf(n: number) {
  return { n, text: 'x'.repeat(n % 97) };
}

function textOf(count: number): string {
  return Array.from({ length: count }, (_, n) => `${JSON.stringify(lineOf(n))}\n`).join('');
}

function write(to: string, text: string): void {
  writeFileSync(`${to}.new`, text);
  renameSync(`${to}.new`, to);
}
