import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answerLibraryFile, isLibraryPath } from '../../../main/host/library-pages.ts'
import { CONTENT_SECURITY_POLICY } from '../../../main/host/security.ts'

let folder: string
let library: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-library-'))
  library = join(folder, 'library')
  mkdirSync(join(library, 'pictures'), { recursive: true })
  mkdirSync(join(library, 'runs', 'r1', 'samples'), { recursive: true })
  writeFileSync(join(library, 'pictures', 'a.png'), 'picture')
  writeFileSync(join(library, 'runs', 'r1', 'samples', '000010-0.png'), 'sample')
  writeFileSync(join(library, 'library.sqlite'), 'database')
  writeFileSync(join(folder, 'secret.png'), 'secret')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('files of the library', () => {
  it('are sent with their type and the security headers; only what is named by its content may be kept', async () => {
    const picture = await answerLibraryFile('GET', '/library/pictures/a.png', library)
    expect([picture.status, await picture.text(), picture.headers.get('Content-Type')]).toEqual([200, 'picture', 'image/png'])
    expect(picture.headers.get('Content-Security-Policy')).toBe(CONTENT_SECURITY_POLICY)
    expect(picture.headers.get('Cache-Control')).toContain('immutable')
    const sample = await answerLibraryFile('GET', '/library/runs/r1/samples/000010-0.png', library)
    expect(sample.headers.get('Cache-Control')).toBe('no-cache')
  })

  it('are pictures and adapters inside the library, and nothing else is found', async () => {
    symlinkSync(join(folder, 'secret.png'), join(library, 'pictures', 'link.png'))
    const up = ['pictures/../library.sqlite', '../secret.png', 'pictures/..%2flibrary.sqlite']
    const paths = [...up, 'library.sqlite', 'pictures/link.png', 'pictures/']
    for (const path of paths) expect([path, (await answerLibraryFile('GET', `/library/${path}`, library)).status]).toEqual([path, 404])
    expect((await answerLibraryFile('POST', '/library/pictures/a.png', library)).status).toBe(404)
  })

  it('are told from pages by the beginning of their address', () => {
    expect(['/library/pictures/a.png', '/librarys', '/index.html'].map(isLibraryPath)).toEqual([true, false, false])
  })
})
