import { JobDefinitionError } from '../errors.ts';
import { isPromise } from '../maybe-promise.ts';

/**
 * What a validation library offers as "Standard Schema" version 1 (zod, valibot, arktype and others do):
 * https://standardschema.dev. Only what is used here.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema makes of its input. */
export type SchemaOutput<S> = S extends StandardSchema<unknown, infer Output> ? Output : never;

/** The value that the schema makes of `value`, at once; throws an error that names every issue. */
export function validated<T>(schema: StandardSchema<unknown, T>, value: unknown): T {
  const result = schema['~standard'].validate(value);
  if (isPromise(result)) {
    result.then(undefined, () => {});
    throw new JobDefinitionError(
      'The schema of records answers asynchronously: give one that answers at once (in zod, without async refinements ' +
        'and transforms), and put what must wait behind the source',
    );
  }
  if (result.issues) throw new Error(result.issues.map(describeIssue).join('; '));
  return result.value;
}

/** An issue on one line, after the path to what it is about. */
export function describeIssue({ path = [], message }: StandardIssue): string {
  const names = path.map(part => String(typeof part === 'object' ? part.key : part));
  return names.length === 0 ? message : `${names.join('.')}: ${message}`;
}
