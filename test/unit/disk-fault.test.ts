import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { wordsForDiskFault } from '../../main/engine/disk-fault.ts'

describe("the words for a disk's refusal", () => {
  it('are plain, without a code', async () => {
    const refusal = async (path: string): Promise<string> => readFile(path).then(() => 'nothing', wordsForDiskFault)
    expect(await refusal(tmpdir())).toBe('it is a folder')
    expect(await refusal('/no/such/file')).toBe('there is nothing at this place')
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    expect(wordsForDiskFault(full)).toBe('the disk is full')
  })

  it('are the system’s own for what is not known', () => {
    expect(wordsForDiskFault(Object.assign(new Error('EXOTIC: never seen'), { code: 'EXOTIC' }))).toBe('EXOTIC: never seen')
    expect(wordsForDiskFault(new Error('no code'))).toBe('no code')
    expect(wordsForDiskFault('thrown')).toBe('thrown')
  })
})
