import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CALLS, EVENTS } from '../../../main/ipc/contract.ts'

const RENDERER = join(import.meta.dirname, '..', '..', '..', 'renderer')

/** All that the pages say. */
const pages = readdirSync(RENDERER, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|svelte)$/.test(name))
  .map((name) => readFileSync(join(RENDERER, name), 'utf8'))
  .join('\n')

describe('the contract', () => {
  it.each(Object.keys(CALLS))('has %s for a page that calls it', (name) => {
    expect(pages).toContain(`'${name}'`)
  })

  it.each(Object.keys(EVENTS))('tells %s to a page that listens', (name) => {
    expect(pages).toContain(`'${name}'`)
  })
})
