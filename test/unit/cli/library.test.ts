import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openServices } from '../../../main/services/services.ts'
import { fakeEngine } from '../services/fake-engine.ts'
import { run } from './recorder.ts'

let folder: string
let library: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-library-'))
  library = join(folder, 'library')
  const services = openServices(fakeEngine(), library)
  services.datasets.create('Hands')
  services.close()
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const onLibrary = (...args: string[]) => run(['library', ...args, '--library', library])

describe('halfstep library', () => {
  it('says that a library is in order, or what is wrong with it, and mends it', async () => {
    expect(await onLibrary('verify')).toMatchObject({ code: 0, out: 'The library is in order.\n' })
    writeFileSync(join(library, 'library.sqlite'), 'this is a text file, and long enough to be taken for a database file of some kind')
    expect((await onLibrary('verify')).code).toBe(1)
    const repaired = await onLibrary('repair')
    expect(repaired).toMatchObject({ code: 0 })
    expect(repaired.out).toContain('was put aside')
    expect(JSON.parse((await onLibrary('verify', '--json')).out)).toEqual({ findings: [] })
  })

  it('backs up and restores', async () => {
    const backup = join(folder, 'backup')
    expect((await onLibrary('backup', backup)).code).toBe(0)
    rmSync(library, { recursive: true })
    expect((await onLibrary('restore', backup)).code).toBe(0)
    const services = openServices(fakeEngine(), library)
    expect(services.datasets.list()).toMatchObject([{ name: 'Hands' }])
    services.close()
  })

  it('repairs nothing while a Halfstep has the library', async () => {
    const services = openServices(fakeEngine(), library)
    services.lock()
    const refused = await onLibrary('repair')
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('open in another Halfstep')
    expect((await onLibrary('backup', join(folder, 'backup'))).code).toBe(0)
    services.close()
    expect(existsSync(join(folder, 'backup', 'halfstep-backup.json'))).toBe(true)
  })
})
