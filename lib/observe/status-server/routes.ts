import type { JobHandle, JobStatus } from '../../job/handle.ts';
import { redactText } from '../redact.ts';
import { statusJson } from './status-json.ts';

/** What is told of: a handle, of which more is never needed. */
export type StatusSubject = Pick<JobHandle, 'status' | 'registry'>;

export interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const routes: Readonly<Record<string, (subject: StatusSubject | undefined) => Answer | Promise<Answer>>> = {
  '/healthz': subject => probe(subject?.status, subject?.status.phase !== 'failed'),
  '/readyz': subject => probe(subject?.status, readyPhases.has(subject?.status.phase ?? 'starting')),
  '/metrics': async subject => {
    if (!subject) return notYet;
    const { registry } = subject;
    return { code: 200, type: registry.contentType, body: await registry.metrics() };
  },
  '/status': subject =>
    subject ? { code: 200, type: 'application/json', body: `${statusJson(subject.status)}\n` } : notYet,
};

export const paths: readonly string[] = Object.keys(routes);

/** Those in which a process does what it is there for; to stand by for others is that, too. */
const readyPhases: ReadonlySet<string> = new Set(['running', 'standby']);

/** Answers a request; `subject` is what there is of the job, which may not have begun yet. */
export function answer(method: string, url: string, subject: StatusSubject | undefined): Answer | Promise<Answer> {
  const [path = ''] = url.split('?');
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!route) return text(404, `There is ${paths.slice(0, -1).join(', ')} and ${paths.at(-1)}.`);
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...text(405, `${path} answers GET and HEAD.`), headers: { allow: 'GET, HEAD' } };
  }
  return route(subject);
}

/** The phase; and what failed last, while that matters. */
function probe(status: JobStatus | undefined, isGood: boolean): Answer {
  const { phase, error } = status ?? { phase: 'starting' };
  return text(isGood ? 200 : 503, error ? `${phase}: ${error.code}: ${redactText(error.message)}` : phase);
}

const notYet = text(503, 'starting');

function text(code: number, body: string): Answer {
  return { code, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}
