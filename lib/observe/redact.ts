const hidden = '[redacted]';

/** Names whose text is a secret, whatever stands before them: `password`, `sslKeyPassword`, `access_token`. */
const secretName =
  /(?:password|passwd|passphrase|secret|token|credentials?|authorization|sasl|api_?key|private_?key)$/i;

/**
 * The value with every secret in it replaced: texts and objects under a key that names a secret (numbers stay, a fence
 * token is one), and what looks like one inside any text. Errors become plain objects; what refers to itself is cut.
 */
export function redact(value: unknown): unknown {
  return redactValue(value, []);
}

/** The text with the user info of URLs, and parameters of their queries that name secrets, replaced. */
export function redactText(text: string): string {
  if (!text.includes('://')) return text;
  return (
    text
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>/?#]*@/gi, `$1${hidden}@`)
      // A password with an unescaped `/`, `?` or `#`; digits and then one of these are a port and a path.
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>/?#@]*:(?!\d+[/?#])[^\s"'<>@]*@/gi, `$1${hidden}@`)
      .replace(/([?&][^\s=&#]*(?:password|passwd|passphrase|secret|token|api_?key)=)[^\s&#"'<>]*/gi, `$1${hidden}`)
  );
}

function redactValue(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value)) return '[circular]';
  const path = [...above, value];
  if (Array.isArray(value)) return value.map(item => redactValue(item, path));
  if (value instanceof Error) return redactError(value, path);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (hasToJson(value)) return redactValue(value.toJSON(), path);
  return redactFields(Object.entries(value), path);
}

function redactFields(entries: readonly (readonly [string, unknown])[], path: readonly object[]): object {
  return Object.fromEntries(entries.map(([name, value]) => [name, redactField(name, value, path)]));
}

function redactField(name: string, value: unknown, path: readonly object[]): unknown {
  if (!secretName.test(name)) return redactValue(value, path);
  return typeof value === 'string' || (typeof value === 'object' && value !== null) ? hidden : value;
}

/** `message`, `stack` and `cause` of an error are not enumerable: JSON would show nothing of them. */
function redactError(error: Error, path: readonly object[]): object {
  const own = Object.entries(error).filter(([name]) => name !== 'name');
  return {
    type: error.name,
    message: redactText(error.message),
    ...redactFields(own, path),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, path) }),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
  };
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}
