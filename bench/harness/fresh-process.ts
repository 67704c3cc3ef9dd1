import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a script in a Node process of its own, as it runs in production, and answers the JSON that it prints as its last line.
 * Throws when it fails.
 */
export async function inFreshProcess<T>(
  script: URL,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<T> {
  const child = spawn(
    process.execPath,
    ['--conditions=tidemark-dev', '--disable-warning=ExperimentalWarning', ...flags, fileURLToPath(script), ...args],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text;
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  if (code !== 0) throw new Error(`${fileURLToPath(script)} ${args.join(' ')} ended with ${code}: ${output}`);
  return JSON.parse(output.trim().split('\n').at(-1) as string) as T;
}
