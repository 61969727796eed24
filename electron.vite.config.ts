import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'electron-vite'
import { dirname, resolve } from 'node:path'
import type { Plugin } from 'vite'

/**
 * Builds the programs that our code starts as processes and threads of their own: `new URL('./name.ts', import.meta.url)`
 * becomes the address of that file's bundle. Every file of the build lies one folder deep, so the way there is always the same.
 */
const siblingPrograms: Plugin = {
  name: 'sibling-programs',
  // Before anything else touches the quotes.
  enforce: 'pre',
  transform(code, id) {
    return code.replace(/new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g, (_match, name: string) => {
      this.emitFile({ type: 'chunk', id: resolve(dirname(id), `${name}.ts`), fileName: `programs/${name}.js` })
      return `new URL('../programs/${name}.js', import.meta.url)`
    })
  },
}

/** Main, engine and command line are ES modules for Node; packages of package.json stay outside the bundle. */
export default defineConfig({
  main: {
    plugins: [siblingPrograms],
    build: {
      outDir: 'out',
      emptyOutDir: true,
      rolldownOptions: {
        input: {
          'main/index': 'main/index.ts',
          'engine/index': 'main/engine/process/utility-main.ts',
          'cli/index': 'main/cli/index.ts',
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload cannot be an ES module and can require nothing but Electron: one CommonJS file holds it all.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: 'preload/index.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'renderer',
    plugins: [svelte({ compilerOptions: { runes: true } })],
    build: {
      outDir: 'out/renderer',
      emptyOutDir: true,
      // Inlined files would need `data:` sources that the content security policy does not allow.
      assetsInlineLimit: 0,
      rolldownOptions: { input: { index: 'renderer/index.html' } },
    },
  },
})
