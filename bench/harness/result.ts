import { mkdirSync, writeFileSync } from 'node:fs';
import { type Environment, environment, load } from './environment.ts';

/** A claim that a result must fulfil. */
export interface Target {
  readonly claim: string;
  readonly measured: string;
  readonly isMet: boolean;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What one benchmark found out. */
export interface Findings {
  readonly title: string;
  /** What was measured, and against what. */
  readonly method: string;
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
  /** All figures. */
  readonly figures: unknown;
}

const folder = new URL('../results/', import.meta.url);

/** Runs one benchmark, and keeps what it found in `results/<name>.json` and `.md`. */
export async function recorded(name: string, measure: () => Promise<Findings>): Promise<Findings> {
  const before = load();
  const findings = await measure();
  const setting = {
    command: `npm run bench ${name}`,
    measuredAt: new Date().toISOString().slice(0, 10),
    load: { before, after: load() },
    environment: environment(),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ ...setting, ...findings }, null, 2)}\n`);
  writeFileSync(new URL(`${name}.md`, folder), markdown(findings, setting));
  return findings;
}

interface Setting {
  readonly command: string;
  readonly measuredAt: string;
  readonly load: { readonly before: number; readonly after: number };
  readonly environment: Environment;
}

function markdown({ title, method, tables, targets }: Findings, { command, measuredAt, load, environment }: Setting) {
  const { processor, cores, memoryGiB, system, node, packages } = environment;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return `${[
    `# ${title}`,
    method,
    ...tables.map(textOf),
    textOf({
      head: ['must hold', 'measured', ''],
      rows: targets.map(({ claim, measured, isMet }) => [claim, measured, isMet ? 'yes' : '**no**']),
    }),
    `\`${command}\`, ${measuredAt}: ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, ${versions.join(', ')}; ` +
      `load ${load.before} before and ${load.after} after.`,
  ].join('\n\n')}\n`;
}

function textOf({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
