import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepBytes, keepCopy, sha256Of, sha256OfFile } from '../../../main/services/content-files.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-content-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('files named by content', () => {
  it('are the same to the byte, in folders made for them, with nothing left beside them', async () => {
    const path = join(folder, 'pictures', 'a')
    await keepBytes(path, Uint8Array.of(1, 2, 3))
    await keepCopy(join(folder, 'pictures', 'b'), path)
    expect([...readFileSync(join(folder, 'pictures', 'b'))]).toEqual([1, 2, 3])
    expect(readdirSync(join(folder, 'pictures')).sort()).toEqual(['a', 'b'])
    expect(await sha256OfFile(path)).toBe(sha256Of(Uint8Array.of(1, 2, 3)))
  })

  it('are never written over', async () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'kept')
    await keepBytes(path, Uint8Array.of(1))
    expect(readFileSync(path, 'utf8')).toBe('kept')
  })

  it('say so when the disk refuses, and leave nothing behind', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(keepBytes(join(folder, 'file', 'a'), Uint8Array.of(1))).rejects.toMatchObject({ code: 'file.unwritable' })
    mkdirSync(join(folder, 'empty'))
    await expect(keepCopy(join(folder, 'empty', 'a'), join(folder, 'none'))).rejects.toMatchObject({ code: 'file.unwritable' })
    expect(readdirSync(join(folder, 'empty'))).toEqual([])
  })

  it('name what cannot be read', async () => {
    await expect(sha256OfFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'file.missing' })
    await expect(sha256OfFile(folder)).rejects.toMatchObject({ code: 'file.unreadable' })
  })
})
