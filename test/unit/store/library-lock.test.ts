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
    const held = `lockLibrary(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1e6)`
    const program = `const { lockLibrary } = await import(${module}); ${held}`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    expect(() => lockLibrary(path)).toThrow(expect.objectContaining({ code: 'store.locked' }))
    child.kill('SIGKILL')
    await once(child, 'exit')
    lockLibrary(path).release()
  })

  it('names the file when it cannot be made', () => {
    expect(() => lockLibrary(folder)).toThrow(expect.objectContaining({ code: 'store.unreadable' }))
    expect(() => lockLibrary(folder)).toThrow(folder)
  })
})
