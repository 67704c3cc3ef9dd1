// What `npm start` runs: the job on real data, killed about halfway with SIGKILL, started again, and its results checked
// against a plain computation. Nothing is needed but what `npm ci` installed.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import { fileStore } from 'tidemark';
import type { AirportTotal } from './delays.ts';
import { expectedAirports, expectedAlerts, readFlights } from './reference.ts';

const root = path.resolve(import.meta.dirname, '../..');
const out = path.join(root, 'out/flight-delays');
const store = path.join(out, 'state');
const flightsPerSecond = 4_000;
const killAtPart = 0.5;

process.chdir(root);
const startedAt = performance.now();
const flights = readFlights();
rmSync(out, { recursive: true, force: true });

title(
  `${flights.length.toLocaleString('en')} US departures of early 2001, read at ${flightsPerSecond.toLocaleString('en')} a second`,
);
const first = run();
await killedHalfway(first, Math.floor(flights.length * killAtPart));
await tellWhatIsLeft();

title('The same command again');
const exitCode = await exitOf(run());
if (exitCode !== 0) {
  console.error(`The job ended with exit code ${exitCode}.`);
  process.exit(exitCode ?? 1);
}
process.exitCode = summary() ? 0 : 1;

function run(): ChildProcess {
  const cli = path.join(root, 'cli/main.ts');
  const args = [
    'run',
    'samples/flight-delays',
    '--set',
    `rate=${flightsPerSecond}`,
    '--store',
    path.relative(root, store),
  ];
  console.log(styleText('dim', `$ tidemark ${args.join(' ')}`));
  return spawn(process.execPath, ['--conditions=tidemark-dev', cli, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('exit', code => resolve(code));
    child.once('error', reject);
  });
}

/** Kills the job as soon as it has made half of the results visible. */
async function killedHalfway(child: ChildProcess, lines: number): Promise<void> {
  const exited = exitOf(child);
  const half = new Promise<void>(resolve => {
    const look = setInterval(() => {
      if (linesOf('airports.jsonl').length < lines) return;
      clearInterval(look);
      resolve();
    }, 20);
    exited.then(
      () => {
        clearInterval(look);
        resolve();
      },
      () => clearInterval(look),
    );
  });
  await Promise.race([half, exited]);
  if (child.exitCode !== null)
    throw new Error(`The job ended with exit code ${child.exitCode} before it could be killed.`);
  child.kill('SIGKILL');
  await exited;
  console.log(styleText('red', `\n✗ kill -9: process ${child.pid} is gone`));
}

async function tellWhatIsLeft(): Promise<void> {
  const kept = fileStore(store);
  const stored = await kept.task({ job: 'flight-delays', task: 'main' }).manifests();
  await kept.close();
  const last = stored.findLast(({ confirmed }) => confirmed)?.manifest;
  if (!last) throw new Error('The job was killed before its first checkpoint.');
  const keys = Object.values(last.actors).reduce((sum, { keys }) => sum + keys, 0);
  const visible = linesOf('airports.jsonl').length;
  const actors = Object.keys(last.actors).length;
  console.log(`  left on disk: checkpoint ${last.id}, with ${keys} keys in ${actors} actors,`);
  console.log(`  and ${visible.toLocaleString('en')} committed lines; what came after is read again`);
}

/** What came out, and whether it is what it must be. */
function summary(): boolean {
  const airports = linesOf('airports.jsonl');
  const alerts = linesOf('alerts.jsonl');
  const isRight =
    airports.join('\n') === expectedAirports(flights).join('\n') &&
    alerts.join('\n') === expectedAlerts(flights).join('\n');
  const latest = new Map<string, AirportTotal>();
  for (const line of airports) {
    const total = JSON.parse(line) as AirportTotal;
    latest.set(total.airport, total);
  }
  const worst = [...latest.values()]
    .filter(({ flights }) => flights >= 100)
    .sort((a, b) => b.totalDelay / b.flights - a.totalDelay / a.flights)
    .slice(0, 5);
  title('Where departures were late');
  console.log(styleText('dim', '  airport   flights   mean delay   worst delay'));
  for (const { airport, flights, totalDelay, worstDelay } of worst) {
    const mean = (totalDelay / flights).toFixed(1);
    console.log(
      `  ${airport.padEnd(7)} ${String(flights).padStart(9)} ${`${mean} min`.padStart(12)} ${`${worstDelay} min`.padStart(13)}`,
    );
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(
    `\n  ${airports.length.toLocaleString('en')} totals of ${latest.size} airports and ${alerts.length} alerts in out/flight-delays, in ${seconds} s`,
  );
  console.log(
    isRight
      ? styleText('green', '✓ byte for byte what an uninterrupted computation gives: nothing lost, nothing twice')
      : styleText('red', '✗ the results differ from an uninterrupted computation: please report this'),
  );
  return isRight;
}

function linesOf(name: string): string[] {
  const file = path.join(out, name);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

function title(text: string): void {
  console.log(`\n${styleText('bold', text)}`);
}
