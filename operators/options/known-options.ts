import { didYouMean, JobDefinitionError } from '../../lib/index.ts';

/** Refuses what is no object of options, and an option that the operator does not know: a typo would be left out in silence. */
export function knownOptions(operator: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new JobDefinitionError(
      `${operator}: its options are ${shown(options)}: give an object of ${known.join(', ')}.`,
    );
  }
  for (const [option, given] of Object.entries(options)) {
    if (given === undefined || known.includes(option)) continue;
    const near = didYouMean(option, known);
    throw new JobDefinitionError(
      `${operator} has no option "${option}"${near === undefined ? '' : `, did you mean "${near}"?`}: it knows ${known.join(', ')}.`,
    );
  }
}

const shown = (given: unknown): string =>
  given === undefined ? 'missing' : typeof given === 'function' ? 'a function' : JSON.stringify(given);
