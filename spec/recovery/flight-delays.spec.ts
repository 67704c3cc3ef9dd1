import { describe, expect, it } from 'vitest';
import { FlightDelays } from './harness/flight-delays.ts';
import { printedSeed, randomFrom } from './harness/random.ts';
import { finishExactly, killAtRandom } from './harness/restarts.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

// Slow enough that the input does not end before the last kill.
const rate = 800;

describe('the sample on the file store', () => {
  it('gives in one go what a plain computation gives', async () => {
    await finishExactly(new FlightDelays(temporaryFolder()));
  });

  it('gives the same, byte for byte, when it is killed at 25 random moments', async () => {
    const job = new FlightDelays(temporaryFolder());
    const random = randomFrom(printedSeed('kills of the sample on the file store'));
    const { recovered } = await killAtRandom(job, 25, random, { rate });
    expect(recovered).toBeGreaterThan(0);
    await finishExactly(job);
  });
});
