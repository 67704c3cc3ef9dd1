import { readFileSync } from 'node:fs';
import path from 'node:path';

export const pomFile = path.join(import.meta.dirname, 'pom.xml');

/** The release of Kafka that we start when we have to bring our own; `pom.xml` names it. */
export function kafkaRelease(): string {
  const version = /<kafka\.version>([^<]+)</.exec(readFileSync(pomFile, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${pomFile} does not name kafka.version.`);
  return version;
}
