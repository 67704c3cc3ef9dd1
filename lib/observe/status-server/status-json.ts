import type { JobStatus } from '../../job/handle.ts';
import { redact } from '../redact.ts';

/** A status as JSON, errors in it with code and message but without stacks, and nothing with secrets. */
export function statusJson(status: JobStatus): string {
  return JSON.stringify(redact(withPlainErrors(status)));
}

/** At any depth: a status may hold those of several tasks. */
function withPlainErrors(value: unknown): unknown {
  if (value instanceof Error) return plainError(value);
  if (Array.isArray(value)) return value.map(withPlainErrors);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withPlainErrors(field)]));
}

function plainError(error: Error): object {
  const { code, fault, retriable, context } = error as Error &
    Record<'code' | 'fault' | 'retriable' | 'context', unknown>;
  const where = Object.entries(context ?? {}).filter(([, detail]) => ['string', 'number'].includes(typeof detail));
  return {
    name: error.name,
    code,
    fault,
    retriable,
    message: error.message,
    ...(where.length > 0 ? { context: Object.fromEntries(where) } : {}),
  };
}
