import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { kafkaRelease, pomFile } from './release.ts';

const run = promisify(execFile);

/** The plugin is pinned, for Maven would otherwise choose one by its own version. */
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies';
const fetchTimeoutMs = 8 * 60_000;

/** The folder that holds Apache Kafka's own jars: resolved through Maven once, then kept outside of the tree. */
export async function mavenJars(): Promise<string> {
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'tidemark');
  const digest = createHash('sha256').update(readFileSync(pomFile)).digest('hex').slice(0, 8);
  const folder = path.join(cache, `kafka-${kafkaRelease()}-${digest}`);
  if (!existsSync(folder)) await fetchJars(cache, folder);
  return folder;
}

async function fetchJars(cache: string, folder: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(path.join(cache, 'unfinished-'));
  try {
    console.error(`Fetching Apache Kafka ${kafkaRelease()} through Maven into ${folder}, once.`);
    const args = ['-B', '-q', '-f', pomFile, copyDependencies, '-DincludeScope=runtime'];
    await run('mvn', [...args, `-DoutputDirectory=${unfinished}`], { timeout: fetchTimeoutMs });
    renameSync(unfinished, folder); // all of them or none: a folder that is there is complete
  } catch (error) {
    if (existsSync(folder)) return; // another process was quicker, and its folder is as good
    throw new Error(`Maven did not bring the jars of Kafka: ${lastLines(error)}`, { cause: error });
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function lastLines(error: unknown): string {
  const output = error instanceof Error && 'stdout' in error ? `${error.message}\n${error.stdout}` : String(error);
  return output.trimEnd().split('\n').slice(-30).join('\n');
}
