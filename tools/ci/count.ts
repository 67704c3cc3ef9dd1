// What `.ci/run` ends with: counts the tests in Vitest's JSON report, and one for each check.
// Usage: count.ts <report> tests=<exit code> <check>=<exit code>…
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const [reportFile = '', ...codes] = process.argv.slice(2);
const failures: string[] = [];
const notRun: string[] = [];
let passed = 0;

for (const { name, status, message, assertionResults } of readReport()?.testResults ?? []) {
  for (const { fullName, status: outcome, failureMessages = [] } of assertionResults) {
    if (outcome === 'passed') passed += 1;
    // What the machine does not permit says so in its name; anything else that is skipped proves nothing.
    else if (/^(skipped|pending)$/.test(outcome) && fullName.includes(', not run: '))
      notRun.push(`${name}: ${fullName}`);
    else failures.push([`${name}: ${fullName} (${outcome})`, ...failureMessages.map(excerpt)].join('\n'));
  }
  const said = assertionResults.some(({ status: outcome }) => outcome === 'failed');
  if (status === 'failed' && !said) failures.push(`${name}: ${message || 'failed as a whole'}`);
}
for (const code of codes) {
  const [name = code, value] = code.split('=');
  if (name === 'tests') {
    if (value !== '0' && failures.length === 0) failures.push(`The tests ended with exit code ${value}.`);
    if (value === '0' && passed === 0) failures.push('There were no tests.');
  } else if (value === '0') passed += 1;
  else failures.push(`${name} failed.`);
}
for (const one of notRun) console.log(`NOT RUN ${one}`);
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** Of a long message, such as one with the output of a process: how it begins and how it ends. */
function excerpt(message: string): string {
  const lines = stripVTControlCharacters(message).trimEnd().split('\n');
  const kept = lines.length <= 60 ? lines : [...lines.slice(0, 20), '…', ...lines.slice(-40)];
  return kept.map(line => `  ${line}`).join('\n');
}

function readReport(): Report | undefined {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8'));
  } catch (error) {
    failures.push(`Vitest left no report: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
