import { inspect } from 'node:util';
import type { z } from 'zod';
import { redactText } from '../observe/redact.ts';

/** Each problem on a line of its own: path, what was given, what is accepted. Parse with `reportInput: true`. */
export function settingsProblems(issues: readonly z.core.$ZodIssue[]): string[] {
  return [...new Set(issues.flatMap(problemsOf))];
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.length === 0 ? 'settings' : issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') return issue.message.split('\n').map(text => `${path}: ${text}`);
  // A rule over several fields says itself what was given.
  if (issue.code === 'custom' && issue.params?.crossField === true) return [`${path}: ${issue.message}`];
  const given = issue.code === 'invalid_union' ? fieldOf(issue.input, issue.path.at(-1)) : issue.input;
  return [`${path}: ${given === undefined ? 'nothing' : show(given)} was given; accepted is ${issue.message}`];
}

/** A discriminated union reports the whole object as its input but the discriminator in its path. */
function fieldOf(input: unknown, field: PropertyKey | undefined): unknown {
  if (typeof input !== 'object' || input === null || field === undefined) return input;
  return (input as Record<PropertyKey, unknown>)[field];
}

function show(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(redactText(given));
  return typeof given === 'object' && given !== null ? `an object (${Object.keys(given).join(', ')})` : inspect(given);
}
