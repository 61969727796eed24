import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

/** One project per kind of test, so that each can be run on its own: `vitest run --project unit`. */
const kind = (name: string) => ({ extends: true as const, test: { name, include: [`test/${name}/**/*.test.ts`] } })

export default defineConfig({
  // For the state classes of the pages, which are written with runes.
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
  test: {
    projects: ['unit', 'golden', 'faults', 'build', 'e2e', 'electron', 'device'].map(kind),
    // ONNX Runtime keeps native threads per process: forks end them cleanly, worker threads do not.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The usual second is too short for a page on a busy machine.
    expect: { poll: { timeout: 30_000 } },
  },
})
