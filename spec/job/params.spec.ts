import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SettingsError } from '../../lib/errors.ts';
import { parseParams } from '../../lib/job/params.ts';
import type { StandardResult, StandardSchema } from '../../lib/job/standard-schema.ts';

const where = 'the job "delays"';
const schema = z.object({ path: z.string(), limit: z.coerce.number().int().default(10) });

function standard(validate: () => StandardResult<unknown> | Promise<StandardResult<unknown>>): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

describe('parseParams', () => {
  it('leaves texts as they are without a schema', () => {
    expect(parseParams(undefined, { limit: '3' }, where)).toEqual({ limit: '3' });
  });

  it('gives what the schema makes of them, synchronously', () => {
    expect(parseParams(schema, { path: 'a.csv', limit: '3' }, where)).toEqual({ path: 'a.csv', limit: 3 });
    expect(parseParams(schema, { path: 'a.csv' }, where)).toEqual({ path: 'a.csv', limit: 10 });
  });

  it('names every problem at once', () => {
    const error = catching(() => parseParams(schema, { limit: 'many' }, where));
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).problems).toEqual([
      'path: Invalid input: expected string, received undefined',
      'limit: Invalid input: expected number, received NaN',
    ]);
    expect((error as SettingsError).message).toMatch(/^The parameters of the job "delays" cannot be used:\n/);
  });

  it('refuses unknown parameters where the schema does', () => {
    expect(() => parseParams(z.strictObject({}), { paht: 'x' }, where)).toThrow('Unrecognized key: "paht"');
  });

  it('waits for a schema that answers later', async () => {
    await expect(
      parseParams(
        standard(async () => ({ value: { a: 1 } })),
        {},
        where,
      ),
    ).resolves.toEqual({ a: 1 });
    const failing = standard(async () => ({ issues: [{ message: 'no', path: [{ key: 'list' }, 0] }] }));
    await expect(parseParams(failing, {}, where)).rejects.toThrow('  - list.0: no');
  });

  it('says when the schema itself throws', async () => {
    const thrower = standard(() => {
      throw new TypeError('broken');
    });
    const error = catching(() => parseParams(thrower, {}, where));
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).problems).toEqual(['the schema itself threw: TypeError: broken']);
    const rejecter = standard(() => Promise.reject(new TypeError('broken')));
    await expect(parseParams(rejecter, {}, where)).rejects.toBeInstanceOf(SettingsError);
  });
});

function catching(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
