import { dirname, join } from 'node:path';
import { StateLostError, StoreRefusedError } from '../../errors.ts';
import { decodeManifest, type Manifest, segmentsOf } from '../manifest.ts';
import { type KeptManifest, type ManifestKey, manifestKeyOf, manifestName, sameManifest } from '../store-rules.ts';
import type { FileSystem } from './file-system.ts';

/** A manifest file as it was found; without a manifest when it is damaged or gone. */
export interface ManifestFile extends KeptManifest {
  readonly manifest: Manifest | undefined;
  readonly error: unknown;
}

/** The folder of one task: `segments/<name>`, `manifests/<id>-<token>.json`, `commits/<slot>`, `notes/<name>` and `tmp/`. */
export class TaskFolder {
  readonly path: string;
  readonly segments: string;
  readonly manifests: string;
  readonly notes: string;
  readonly #fs: FileSystem;

  constructor(fs: FileSystem, path: string) {
    this.path = path;
    this.segments = join(path, 'segments');
    this.manifests = join(path, 'manifests');
    this.notes = join(path, 'notes');
    this.#fs = fs;
  }

  /** Creates what is missing. */
  async create(): Promise<void> {
    for (const folder of [this.segments, this.manifests, join(this.path, 'tmp')]) await this.#fs.makeFolder(folder);
  }

  /** Makes the folder itself durable, whoever created it. */
  async makeDurable(): Promise<void> {
    const job = dirname(this.path);
    const root = dirname(job);
    for (const folder of [this.path, job, root]) await this.#fs.sync(folder);
    try {
      await this.#fs.sync(dirname(root));
    } catch (error) {
      // It may belong to somebody else, who lets us through but not read it; then it is not we who made the root either.
      if (!(error instanceof StoreRefusedError)) throw error;
    }
  }

  segmentPath(name: string): string {
    return join(this.segments, name);
  }

  manifestPath(key: ManifestKey): string {
    return join(this.manifests, `${manifestName(key)}.json`);
  }

  /** The keys of all manifest files, lowest id first. */
  async manifestKeys(): Promise<ManifestKey[]> {
    const names = (await this.#fs.list(this.manifests)) ?? [];
    return names
      .filter(name => name.endsWith('.json'))
      .map(name => manifestKeyOf(name.slice(0, -'.json'.length)))
      .filter(key => key !== undefined)
      .sort((a, b) => a.id - b.id || a.token - b.token);
  }

  /** Reads one manifest; what is wrong with it is in the answer. */
  async readManifest(key: ManifestKey): Promise<ManifestFile> {
    const path = this.manifestPath(key);
    const damaged = (error: unknown): ManifestFile => ({ ...key, segments: [], manifest: undefined, error });
    const bytes = await this.#fs.read(path);
    if (!bytes) return damaged(new StateLostError(`The manifest ${path} is gone. Restore it from a copy.`));
    try {
      const manifest = decodeManifest(Buffer.from(bytes).toString(), path);
      if (!sameManifest(manifest, key)) throw new StateLostError(`The manifest ${path} is that of another checkpoint.`);
      return { ...key, segments: segmentsOf(manifest), manifest, error: undefined };
    } catch (error) {
      return damaged(error);
    }
  }

  /** Removes temporary files of tokens below this one: their writers are dead or fenced off. */
  async removeOlderTemporaries(token: number): Promise<void> {
    const folder = join(this.path, 'tmp');
    for (const name of (await this.#fs.list(folder)) ?? []) {
      if (Number.parseInt(name, 10) < token) await this.#fs.remove(join(folder, name));
    }
  }
}
