import { spawnSync } from 'node:child_process';
import { messageOf, TidemarkError } from '../lib/errors.ts';

/** A job module cannot be imported: a syntax error, an import that is not there, or code that throws. */
export class JobModuleError extends TidemarkError {
  readonly code = 'JOB_MODULE';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Says what keeps the module from being loaded, with the place. An error that names its fault itself stays as it is. */
export function explainLoadError(error: unknown, file: string, given: string): unknown {
  if (typeof (error as { fault?: unknown } | null)?.fault === 'string') return error;
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof SyntaxError) {
    const place = frameOf(error) ?? checkedFrame(file);
    return new JobModuleError(
      `${given} cannot be loaded: ${error.message}${place ? `\n${indented(place)}` : ''}${typeScriptHint(code)}`,
      { cause: error },
    );
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
    return new JobModuleError(`${given} cannot be loaded: ${messageOf(error)}. Is it installed, and the path right?`, {
      cause: error,
    });
  }
  return new JobModuleError(`${given} threw while it was loaded: ${error}`, { cause: error });
}

/** Node puts file, line and caret of most syntax errors in front of the stack. */
function frameOf({ stack = '' }: SyntaxError): string | undefined {
  const head = stack.slice(0, Math.max(0, stack.indexOf('SyntaxError'))).trimEnd();
  return head === '' ? undefined : head;
}

/** Where it does not (plain JavaScript), `node --check` tells; it runs nothing of the module. */
function checkedFrame(file: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: 10_000 });
  return stderr ? frameOf({ stack: stderr } as SyntaxError) : undefined;
}

function typeScriptHint(code: unknown): string {
  return code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
    ? '\n  Node runs TypeScript by removing the types: enums, namespaces and parameter properties have to be written otherwise.'
    : '';
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
