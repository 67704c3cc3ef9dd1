import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { FencedError, StoreUnavailableError } from '../../../lib/errors.ts';
import type { JobPhase } from '../../../lib/job/handle.ts';
import { answer, paths } from '../../../lib/observe/status-server/routes.ts';
import { someStatus } from '../../cli/fake-handle.ts';

const registry = new Registry();
const inPhase = (phase: JobPhase) => ({ status: { ...someStatus, phase }, registry });

describe('the answers about a job', () => {
  it.each([
    ['starting', 200, 503],
    ['recovering', 200, 503],
    ['running', 200, 200],
    ['standby', 200, 200],
    ['restarting', 200, 503],
    ['stopping', 200, 503],
    ['finished', 200, 503],
    ['stopped', 200, 503],
    ['cancelled', 200, 503],
    ['failed', 503, 503],
  ])('that is %s: /healthz %i, /readyz %i', async (phase, health, readiness) => {
    const subject = inPhase(phase as JobPhase);
    expect(await answer('GET', '/healthz', subject)).toMatchObject({ code: health, body: `${phase}\n` });
    expect(await answer('GET', '/readyz', subject)).toMatchObject({ code: readiness, body: `${phase}\n` });
  });

  it('that has not begun are that it is starting', async () => {
    expect(await answer('GET', '/healthz', undefined)).toMatchObject({ code: 200, body: 'starting\n' });
    for (const path of ['/readyz', '/metrics', '/status']) {
      expect(await answer('GET', path, undefined), path).toMatchObject({ code: 503, body: 'starting\n' });
    }
  });

  it('that failed name the error, without secrets', async () => {
    const error = new StoreUnavailableError('redis://app:hunter2@cache:6379 does not answer');
    for (const path of ['/healthz', '/readyz']) {
      expect(await answer('GET', path, { status: { ...someStatus, phase: 'failed', error }, registry })).toMatchObject({
        code: 503,
        body: 'failed: STORE_UNAVAILABLE: redis://[redacted]@cache:6379 does not answer\n',
      });
    }
  });

  it('hold the status as JSON, errors of tasks too, without stacks and secrets', async () => {
    const error = new FencedError('newer than redis://app:hunter2@cache', {
      cause: new Error('hunter2'),
      context: { job: 'delays', task: '3', password: 'hunter2', detail: { a: 1 } },
    });
    const status = { ...someStatus, tasks: [{ ...someStatus, task: '3', phase: 'failed' as const, error }] };
    const { body, ...rest } = await answer('GET', '/status', { status, registry });
    expect(rest).toEqual({ code: 200, type: 'application/json' });
    expect(body).not.toMatch(/hunter2|stack|\.ts:/);
    expect(JSON.parse(body)).toEqual({
      ...someStatus,
      tasks: [
        {
          ...someStatus,
          task: '3',
          phase: 'failed',
          error: {
            name: 'FencedError',
            code: 'FENCED',
            fault: 'external',
            retriable: false,
            message: 'newer than redis://[redacted]@cache',
            context: { job: 'delays', task: '3', password: '[redacted]' },
          },
        },
      ],
    });
  });

  it.each(paths)('at %s do not look at the query', async path => {
    const { body } = await answer('GET', `${path}?a=/b`, inPhase('running'));
    expect(body).toBe((await answer('GET', path, inPhase('running'))).body);
  });

  it.each(['/', '/health', '/healthz/', '/status/x', '/toString', '/__proto__', '*', 'http://host/status'])(
    'at %s name the paths that there are',
    async path => {
      expect(await answer('GET', path, inPhase('running'))).toMatchObject({
        code: 404,
        body: 'There is /healthz, /readyz, /metrics and /status.\n',
      });
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('to %s are that it is not allowed', async method => {
    for (const path of paths) {
      expect(await answer(method, path, inPhase('running'))).toMatchObject({
        code: 405,
        headers: { allow: 'GET, HEAD' },
      });
    }
    expect(await answer(method, '/else', inPhase('running'))).toMatchObject({ code: 404 });
  });
});
