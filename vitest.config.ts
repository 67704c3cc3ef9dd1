import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Three projects, run one after the other. `unit` needs no service. `services` gets a real Kafka and a real Redis from
// its global set-up. `package` packs and installs the package; it comes last, because packing rebuilds dist/.
const conditions = ['tidemark-dev'];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };
const setupFiles = ['spec/setup/property-seed.ts'];
// A limit only ends what hangs, however busy the machine is.
const expect = { poll: { timeout: 30_000 } };
const onServices = ['spec/services/**/*.spec.ts', 'spec/recovery/**/*.spec.ts'];
const onPackage = ['spec/package/**/*.spec.ts'];

export default defineConfig({
  ...shared,
  test: {
    passWithNoTests: false,
    // Specs on services mostly wait for them: one worker less than there are cores would leave the machine idle.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['spec/**/*.spec.ts'],
          exclude: [...onServices, ...onPackage],
          setupFiles,
          expect,
          // No spec waits for time to pass: a limit only ends what hangs, however busy the machine is.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Loading the modules anew for each file took a third of the time.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          name: 'services',
          include: onServices,
          globalSetup: ['tools/services/for-vitest.ts'],
          setupFiles,
          expect,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // They mostly wait for servers, and for time to pass.
          maxWorkers: Math.max(3, availableParallelism()),
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        test: {
          name: 'package',
          include: onPackage,
          expect,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
