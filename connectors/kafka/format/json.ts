import { z } from 'zod';
import { SettingsError, type StandardSchema, settingsFields, settingsProblems, validated } from '../../../lib/index.ts';
import type { Format } from './format.ts';
import { utf8Text } from './utf8.ts';

export interface JsonOptions<T> {
  /**
   * Any Standard Schema (zod, valibot, arktype, …) that answers at once. Each value that is read becomes what it makes
   * of it; what does not validate is poison. Values that are written are not looked at.
   */
  readonly schema?: StandardSchema<unknown, T>;
}

const settings = settingsFields.section({
  schema: z
    .custom<StandardSchema>(
      given => typeof (given as StandardSchema | undefined)?.['~standard']?.validate === 'function',
      { error: 'a Standard Schema, such as one made with zod' },
    )
    .optional(),
});

/**
 * JSON in UTF-8, as `JSON.parse` and `JSON.stringify` have it. Without a schema, `T` is taken on trust. The JSON value
 * `null` passes a record over, as a record without value does; `null` is written as a record without value.
 */
export function json<T = unknown>(options: JsonOptions<T> = {}): Format<T> {
  const parsed = settings.safeParse(options, { reportInput: true });
  if (!parsed.success) throw new SettingsError('The settings of json are wrong', settingsProblems(parsed.error.issues));
  const { schema } = options;
  const parse = (bytes: Buffer): unknown => JSON.parse(utf8Text(bytes));
  return {
    name: 'json',
    deserialize: schema
      ? bytes => (bytes === null ? null : validated(schema, parse(bytes)))
      : bytes => (bytes === null ? null : (parse(bytes) as T)),
    serialize: serializeJson,
  };
}

function serializeJson(value: unknown): string | null {
  if (value === null) return null;
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error(`JSON has nothing for a value of type ${typeof value}`);
  return text;
}
