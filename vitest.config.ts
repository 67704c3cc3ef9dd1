import { defineConfig } from 'vitest/config';

// Two projects: `unit` needs no service; `services` gets a real Kafka and a real Redis from the global set-up.
const conditions = ['tidemark-dev'];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['spec/**/*.spec.ts'],
          exclude: ['spec/services/**', 'node_modules/**'],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
