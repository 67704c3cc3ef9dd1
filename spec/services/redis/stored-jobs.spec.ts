import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redisStore } from '../../../connectors/redis/index.ts';
import type { SnapshotStore } from '../../../lib/index.ts';
import { newest, storedJobContract } from '../../checkpoint/stored-job-contract.ts';
import { type RedisListing, readListing, writeListing } from '../../fixtures/snapshots/redis-listing.ts';
import { store } from '../../fixtures/snapshots/stored-job.ts';

const fixtures = path.resolve(import.meta.dirname, '../../fixtures/snapshots');
const current = 'redis-store-1.json';
const files = readdirSync(fixtures).filter(name => name.startsWith('redis-store-'));
const listingOf = (file: string) => JSON.parse(readFileSync(path.join(fixtures, file), 'utf8')) as RedisListing;

const url = process.env.REDIS_URL as string;
let client: Redis;
let prefix: string;
let opened: SnapshotStore[];
beforeAll(() => {
  client = new Redis(url);
});
beforeEach(() => {
  prefix = `spec:${randomUUID()}`;
  opened = [];
});
afterEach(async () => {
  for (const one of opened) await one.close();
  const keys = await client.keys(`${prefix}*`);
  if (keys.length > 0) await client.unlink(keys);
});
afterAll(() => client.quit());

function open(): SnapshotStore {
  const opening = redisStore({ url, prefix });
  opened.push(opening);
  return opening;
}

describe.each(files)('a job that was stored in Redis earlier: %s', file => {
  storedJobContract(async () => {
    await writeListing(client, prefix, listingOf(file));
    return open();
  });
});

describe('a job that is stored in Redis now', () => {
  it('is stored under the same keys, in the same form, or there is a fixture with a new number', async () => {
    await store(open());
    expect(formOf(await readListing(client, prefix))).toEqual(formOf(listingOf(current)));
    expect((await newest(open())).manifest.id).toBe(2);
  });

  it('is listed as it is: what is written from a listing gives the same one', async () => {
    const listing = listingOf(current);
    await writeListing(client, prefix, listing);
    expect(await readListing(client, prefix)).toEqual(listing);
  });
});

/** The keys with their types, and the fields or members; random names as such. */
function formOf(listing: RedisListing): string[] {
  return Object.entries(listing)
    .map(([key, { type, value }]) => {
      const names = typeof value === 'string' ? [] : value.map(one => (typeof one === 'string' ? one : one[0]));
      return `${key} ${type} ${names.map(withoutRandom).sort()}`;
    })
    .map(withoutRandom)
    .sort();
}

const withoutRandom = (name: string): string => name.replaceAll(/(\d+-\d+)-[0-9a-f]{16}/g, '$1-random');
