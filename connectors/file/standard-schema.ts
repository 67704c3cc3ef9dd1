/** Any schema of the Standard Schema interface (version 1): zod, valibot, arktype and others; it must answer synchronously. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

export interface SchemaResult<T> {
  readonly value?: T;
  readonly issues?: readonly SchemaIssue[] | undefined;
}

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The value that the schema makes of `value`; throws an error that names every issue. */
export function validated<T>(schema: StandardSchema<T>, value: unknown): T {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new Error('its schema answers asynchronously; give one that answers at once');
  }
  if (result.issues) throw new Error(result.issues.map(describe).join('; '));
  return result.value as T;
}

function describe({ message, path }: SchemaIssue): string {
  const at = path?.map(step => String(typeof step === 'object' ? step.key : step)).join('.');
  return at ? `${at}: ${message}` : message;
}
