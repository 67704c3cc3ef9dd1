import type { StateReport } from '../lib/index.ts';
import { exitCodes } from './exit-code.ts';

// What `--help` says below commander's own lists. docs/cli.md has the same with more words.

const exitCodeHelp = `
Exit codes:
  ${exitCodes.done}    done: every bounded source was processed and checkpointed, or every branch ended before it;
       a job that has finished in an earlier run, too; a job without bounded input that was stopped, with its final
       checkpoint
  ${exitCodes.internal}    a fault of Tidemark itself
  ${exitCodes.usage}    the command line is wrong: an unknown option, no such file, a module that exports no job
  ${exitCodes.stopped}    stopped on request, with a final checkpoint, before the input had ended
  ${exitCodes.user}    to be mended in the job, its input or its settings
  ${exitCodes.external}    caused outside: a store, a disk, a broker, another process that runs the same task
  130, 143  ended at once by a second SIGINT or SIGTERM, without a final checkpoint`;

export const commandHelp = `
Examples:
  tidemark run samples/flight-delays
  tidemark run totals.ts --store redis://localhost --set topic=payments
  tidemark graph totals.ts > totals.mmd
  tidemark checkpoints
${exitCodeHelp}
`;

export const runHelp = `
In a terminal a live status is shown, elsewhere a log line at each change, at each checkpoint and every few seconds;
all of it on stderr. The first SIGINT (Ctrl-C) or SIGTERM takes a final checkpoint and ends; a second one ends at once.
Started again, the job goes on from its last checkpoint. TIDEMARK_STORE can give the store, where its password shall
not be on the command line.

Examples:
  tidemark run totals.ts
  tidemark run totals.ts --check --set topic=payments
  tidemark run totals.ts --check-state --store redis://localhost:6379
  tidemark run totals.ts --store ./state --interval 30s --fresh
  tidemark run totals.ts --workers 4 --instance-id shop --store redis://localhost
  tidemark run totals.ts --listen 9464 & curl -f localhost:9464/readyz
  TIDEMARK_STORE=rediss://app:…@cache:6380 tidemark run totals.ts --json
${exitCodeHelp}
`;

export const graphHelp = `
Thick lines carry records with a key. Nothing is opened.

Examples:
  tidemark graph totals.ts
  tidemark graph totals.ts --set topic=payments > totals.mmd
`;

export const listHelp = `
A prepared checkpoint was written but not confirmed; the next start decides about it. The size of a checkpoint includes
segments that it shares with others.

Examples:
  tidemark checkpoints
  tidemark checkpoints card-totals --store redis://localhost --json
`;

export const savepointHelp = `
A savepoint is asked for by a person and kept until it is deleted. A running job is asked through its store, wherever it runs; where
nobody answers, its newest committed checkpoint becomes the savepoint.

Examples:
  tidemark savepoint create card-totals --name before-v2
  tidemark savepoint stop card-totals --name before-v2
  tidemark savepoint show card-totals/before-v2
  tidemark savepoint diff card-totals/before-v2 card-totals/412
  tidemark savepoint export card-totals/before-v2 ./before-v2
  tidemark run totals-v2.ts --from-savepoint before-v2
  tidemark run fork.ts --from-savepoint ./before-v2
`;

export function checkingText(job: string, { checkpoint }: Pick<StateReport, 'checkpoint'>): string {
  const state = checkpoint ? 'it can go on from its checkpoint' : 'no checkpoint would be restored';
  return `${job} is ready to run: its module loads, its graph can be wired, its settings and parameters are valid, and ${state}.`;
}
