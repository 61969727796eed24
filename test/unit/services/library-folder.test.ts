import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureLibraryFolder, libraryFolder, useLibraryFolder } from '../../../main/services/library-folder.ts'

describe('the library folder', () => {
  it('is HALFSTEP_HOME when set, on every platform', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      expect(libraryFolder({ platform, home: '/home/ada', env: { HALFSTEP_HOME: '/data/halfstep' } })).toBe(resolve('/data/halfstep'))
    }
  })

  it("is the platform's place for application data otherwise", () => {
    const home = '/home/ada'
    expect(libraryFolder({ platform: 'linux', home, env: {} })).toBe(join(home, '.local', 'share', 'halfstep'))
    expect(libraryFolder({ platform: 'linux', home, env: { XDG_DATA_HOME: '/data' } })).toBe(join('/data', 'halfstep'))
    expect(libraryFolder({ platform: 'darwin', home, env: {} })).toBe(join(home, 'Library', 'Application Support', 'Halfstep'))
    expect(libraryFolder({ platform: 'win32', home, env: {} })).toBe(join(home, 'AppData', 'Local', 'Halfstep'))
    expect(libraryFolder({ platform: 'win32', home, env: { LOCALAPPDATA: '/local' } })).toBe(join('/local', 'Halfstep'))
  })

  it('is created with its parents, and named when it cannot be', () => {
    const folder = mkdtempSync(join(tmpdir(), 'halfstep-folder-'))
    expect(ensureLibraryFolder(join(folder, 'ü 日本語', 'library'))).toBe(join(folder, 'ü 日本語', 'library'))
    writeFileSync(join(folder, 'file'), '')
    expect(() => ensureLibraryFolder(join(folder, 'file', 'library'))).toThrow(join(folder, 'file', 'library'))
    rmSync(folder, { recursive: true })
  })
})

describe('a library folder that the person chose', () => {
  it('is taken from the next start on, unless HALFSTEP_HOME decides', () => {
    const home = mkdtempSync(join(tmpdir(), 'halfstep-home-'))
    const here = { platform: 'linux', home, env: {} } as const
    const chosen = join(home, 'disk', 'ü library')
    expect(useLibraryFolder(chosen, here)).toBe(chosen)
    expect(libraryFolder(here)).toBe(chosen)
    expect(libraryFolder({ ...here, env: { HALFSTEP_HOME: '/data' } })).toBe(resolve('/data'))
    expect(() => useLibraryFolder(chosen, { ...here, env: { HALFSTEP_HOME: '/data' } })).toThrow(expect.objectContaining({ code: 'usage' }))
    rmSync(home, { recursive: true })
  })

  it('is passed over where the signpost says nothing of use', () => {
    const home = mkdtempSync(join(tmpdir(), 'halfstep-home-'))
    const here = { platform: 'linux', home, env: {} } as const
    const usual = ensureLibraryFolder(libraryFolder(here))
    writeFileSync(join(usual, 'library-folder.txt'), 'relative/path')
    expect(libraryFolder(here)).toBe(usual)
    rmSync(home, { recursive: true })
  })
})
