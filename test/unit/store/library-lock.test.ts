import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockLibrary } from '../../../main/store/library-lock.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-lock-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe("the library's lock", () => {
  it('is held by one at a time, and free again when released', () => {
    const path = join(folder, 'library.lock')
    const lock = lockLibrary(path)
    expect(() => lockLibrary(path)).toThrow(expect.objectContaining({ code: 'store.locked' }))
    lock.release()
    lockLibrary(path).release()
  })

  it('ends with a process that is killed', async () => {
    const path = join(folder, 'library.lock')
    const module = JSON.stringify(join(import.meta.dirname, '../../../main/store/library-lock.ts'))
    // The child lets go of the lock and has the collector come by: only its end may free the library.
    const collect = 'for (let i = 0; i < 3; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)) }'
    const hold = `lockLibrary(${JSON.stringify(path)}); ${collect}; console.log('held'); setInterval(() => {}, 1e6)`
    const program = `const { lockLibrary } = await import(${module}); ${hold}`
    const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    try {
      const [said] = await Promise.race([once(child.stdout, 'data'), ended])
      expect(String(said)).toBe('held\n')
      expect(() => lockLibrary(path)).toThrow(expect.objectContaining({ code: 'store.locked' }))
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    lockLibrary(path).release()
  })

  it('names the file when it cannot be made', () => {
    expect(() => lockLibrary(folder)).toThrow(expect.objectContaining({ code: 'store.unreadable' }))
    expect(() => lockLibrary(folder)).toThrow(folder)
  })
})
