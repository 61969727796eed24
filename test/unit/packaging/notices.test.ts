import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { notices, NOTICES } from '../../../packaging/notices.ts'

it('the notices are those of the packages that are installed; `npm run notices` writes them', () => {
  expect(readFileSync(NOTICES, 'utf8')).toBe(notices())
})

it('the notices name what runs, what the pages are made of, and whoever drew the letters and icons', () => {
  const text = notices()
  for (const name of [
    'onnxruntime-node@', 'better-sqlite3@', 'sharp@', 'zod@', 'svelte@', 'bits-ui@', 'uplot@', '@lucide/svelte@',
    '@fontsource-variable/figtree@', 'libvips', 'Electron',
  ]) expect(text).toContain(name)
  expect(text).toMatch(/SIL OPEN FONT LICENSE/i)
  expect(text).not.toMatch(/\nnode-linux-x64@|\nvite@|\nvitest@/)
})
