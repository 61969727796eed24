import { describe, expect, it } from 'vitest'
import { KeySequence } from '../../../renderer/shell/key-sequence.ts'

const press = { ctrlKey: false, metaKey: false, altKey: false, typing: false, at: 0 }

describe('keys', () => {
  it('are a sequence after g, for a while', () => {
    const keys = new KeySequence()
    expect(keys.press({ ...press, key: 'g' })).toBe('g')
    expect(keys.press({ ...press, key: 'M', at: 1000 })).toBe('g m')
    expect(keys.press({ ...press, key: 'm', at: 1100 })).toBe('m')
    keys.press({ ...press, key: 'g', at: 2000 })
    expect(keys.press({ ...press, key: 'm', at: 9000 })).toBe('m')
  })

  it('are left to fields in which people type, and to shortcuts of the system', () => {
    const keys = new KeySequence()
    expect(keys.press({ ...press, key: 'g', typing: true })).toBeUndefined()
    expect(keys.press({ ...press, key: 'm' })).toBe('m')
    expect(keys.press({ ...press, key: '?', ctrlKey: true })).toBeUndefined()
  })
})
