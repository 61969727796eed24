import fc from 'fast-check'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findLibraryFile, libraryFileFor, libraryUrl } from '../../../main/services/library-files.ts'

const FOLDER = join(sep, 'home', 'ada', 'halfstep')

describe('addresses of library files', () => {
  it('stand for pictures, thumbnails, adapters and pictures of runs', () => {
    const path = join(FOLDER, 'pictures', '0a1b.png')
    expect(libraryFileFor('/library/pictures/0a1b.png', FOLDER)).toEqual({ path, contentType: 'image/png' })
    expect(libraryFileFor(libraryUrl('thumbnails/0a1b.webp'), FOLDER)?.contentType).toBe('image/webp')
    const sample = join(FOLDER, 'runs', '00-1', 'samples', '000010-0.png')
    expect(libraryFileFor('/library/runs/00-1/samples/000010-0.png', FOLDER)?.path).toBe(sample)
    expect(libraryFileFor('/library/adapters/0a1b.safetensors', FOLDER)?.contentType).toBe('application/octet-stream')
  })

  it('stand for nothing else of the library', () => {
    for (const pathname of [
      '/library/library.sqlite', '/library/library.lock', '/library/', '/library', '/pictures/a.png', '/library/pictures/',
      '/library/pictures/.png', '/library/pictures/.hidden.png', '/library/pictures/a.svg', '/library/pictures/a.PNG',
      '/library/pictures/a.png\n', '/library/pictures/a b.png', '/library/pictures/../library.sqlite', '/library/pictures/%2e%2e/a.png',
      '/library/pictures/..%2fa.png', '/library/pictures/a/b.png',
      '/library/pictures\\a.png', '/library//pictures/a.png', '/library/runs/1/recipe.json',
      '/library/runs/1/checkpoints/000001.safetensors',
      '/library/runs/../samples/a.png', '/library/runs/1/samples/../../../x.png', '/library/thumbnails/a.png', '/library/adapters/a.png',
    ]) expect(libraryFileFor(pathname, FOLDER), pathname).toBeUndefined()
  })

  it('never lead out of the library, whatever is asked', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', 'pictures', 'runs', 'samples', 'a', '.png', '%2e', '%2F', '\0', ':', 'C:', '~')
    fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const served = libraryFileFor(`/library/${pieces.join('')}`, FOLDER)
      expect(served === undefined || served.path.startsWith(FOLDER + sep)).toBe(true)
    }))
  })
})

describe('files of the library', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'halfstep-files-'))
    mkdirSync(join(folder, 'library', 'pictures'), { recursive: true })
    writeFileSync(join(folder, 'library', 'pictures', 'a.png'), '')
    writeFileSync(join(folder, 'secret.png'), '')
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('are found where they are', async () => {
    expect((await findLibraryFile('/library/pictures/a.png', join(folder, 'library')))?.path.endsWith('a.png')).toBe(true)
    expect(await findLibraryFile('/library/pictures/b.png', join(folder, 'library'))).toBeUndefined()
  })

  it('are not what a link out of the library leads to', async () => {
    symlinkSync(join(folder, 'secret.png'), join(folder, 'library', 'pictures', 'link.png'))
    expect(await findLibraryFile('/library/pictures/link.png', join(folder, 'library'))).toBeUndefined()
  })

  it('are found in a library that is itself reached by a link', async () => {
    symlinkSync(join(folder, 'library'), join(folder, 'linked'))
    expect(await findLibraryFile('/library/pictures/a.png', join(folder, 'linked'))).toBeDefined()
  })
})
