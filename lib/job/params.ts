import { SettingsError } from '../errors.ts';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';
import { describeIssue, type StandardResult, type StandardSchema } from './standard-schema.ts';

/**
 * The parameters that a job's function is given: what its schema makes of `raw`, or `raw` itself where the job has none.
 * From the command line all values are texts; turning them into numbers is the schema's part (`z.coerce.number()`).
 * A `SettingsError` names everything that does not validate. Answers synchronously where the schema does.
 */
export function parseParams(
  schema: StandardSchema | undefined,
  raw: Readonly<Record<string, unknown>>,
  where: string,
): MaybePromise<unknown> {
  if (schema === undefined) return raw;
  const standard = schema['~standard'];
  const validated = attempt<StandardResult<unknown>>(
    () => standard.validate(raw),
    error => {
      throw new SettingsError(`The parameters of ${where} cannot be used`, [`the schema itself threw: ${error}`], {
        cause: error,
      });
    },
  );
  return andThen(validated, result => {
    if (!result.issues) return result.value;
    throw new SettingsError(`The parameters of ${where} cannot be used`, result.issues.map(describeIssue));
  });
}
